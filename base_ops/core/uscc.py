"""Unified social credit codes (统一社会信用代码), GB 32100-2015."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z."""

DEPARTMENTS = frozenset("123456789ANY")
"""First character, the registering department; A, N and Y are as legal as the digits."""


def normalise(code: str) -> str:
    """The code as it is stored: capitals, no blanks or hyphens."""
    return code.replace(" ", "").replace("-", "").upper()


def check_character(body: str) -> str:
    """The 18th character of the 17 before it.

    Raises:
        ValueError: not 17 characters of the alphabet.
    """
    if len(body) != 17:
        raise ValueError(f"17 characters wanted, not {len(body)}")
    total = sum(ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return ALPHABET[-total % 31]


def is_valid(code: str) -> bool:
    """Whether the code is well formed and its check character is right."""
    code = normalise(code)
    return (
        len(code) == 18
        and set(code) <= set(ALPHABET)
        and code[0] in DEPARTMENTS
        and check_character(code[:17]) == code[17]
    )
