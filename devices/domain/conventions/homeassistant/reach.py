"""Which attributes and methods of which values a template may use; all others do not exist."""

from collections.abc import Mapping

_TEXT = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "title",
        "capitalize",
        "split",
        "rsplit",
        "splitlines",
        "startswith",
        "endswith",
        "find",
        "rfind",
        "index",
        "count",
        "replace",
        "isdigit",
        "isnumeric",
        "isalpha",
        "isalnum",
        "isdecimal",
        "isspace",
        "islower",
        "isupper",
        "swapcase",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "join",
        "zfill",
    ]
)
_TIME = frozenset(
    [
        "strftime",
        "timestamp",
        "isoformat",
        "date",
        "time",
        "weekday",
        "isoweekday",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "microsecond",
        "days",
        "seconds",
        "total_seconds",
        "utcoffset",
    ]
)
METHODS: Mapping[str, frozenset[str]] = {
    "str": _TEXT,
    "dict": frozenset({"get", "keys", "values", "items"}),
    "list": frozenset({"index", "count"}),
    "tuple": frozenset({"index", "count"}),
    "int": frozenset({"bit_length"}),
    "float": frozenset({"is_integer"}),
    "datetime": _TIME,
    "date": _TIME,
    "time": _TIME,
    "timedelta": _TIME,
    "LoopContext": frozenset(
        [
            "index",
            "index0",
            "revindex",
            "revindex0",
            "first",
            "last",
            "length",
            "previtem",
            "nextitem",
        ]
    ),
}
