"""Makes text from outside harmless before it stands in a message.

People write titles, notes and names. In a message they must remain what they are: text on one line
that is no address, mentions nobody, opens no markup and does not turn the reading direction.
"""

import re
import unicodedata

MOST_CHARS = 200
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_JOINER = "\u200d"  # holds emoji together
# Marks that markdown dialects of chat programs read, as signs that look alike and mean nothing.
_LOOK_ALIKE = str.maketrans("<>[]*_`#|~@\\", "＜＞［］＊＿｀＃｜～＠＼")


def clean(text: str, *, most: int = MOST_CHARS) -> str:
    """One line of at most `most` characters without control or direction characters.

    What a mail or chat program would turn into a link (`://`, `www.`) is broken up.
    """
    line = _SPACES.sub(" ", text)
    kept = "".join(char for char in line if _is_plain(char)).strip()
    kept = _WWW.sub("www．", kept.replace("://", "：//"))
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _is_plain(char: str) -> bool:
    """Neither control, format (bidi, zero width), surrogate nor private."""
    return char == _JOINER or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}


def unmarked(text: str) -> str:
    """Without anything that a chat program's markdown reads: mentions, tags, links, emphasis."""
    return text.translate(_LOOK_ALIKE)


def fits(text: str, most_bytes: int) -> str:
    """Cut to so many bytes of UTF-8, between characters."""
    raw = text.encode()
    if len(raw) <= most_bytes:
        return text
    return raw[: most_bytes - 3].decode(errors="ignore") + "…"
