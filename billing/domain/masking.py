"""Names as strangers may see them."""

_SHOWN = 2


def masked(name: str) -> str:
    """The first two characters and the last of a name, e.g. 番禺******司; short ones show one."""
    name = name.strip()
    if len(name) <= _SHOWN + 1:
        return f"{name[:1]}**"
    return f"{name[:_SHOWN]}{'*' * min(6, len(name) - _SHOWN - 1)}{name[-1]}"
