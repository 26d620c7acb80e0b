"""The words of templates: what of Jinja's own may be used, and Home Assistant's beside it."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from jinja2 import filters, tests
from jinja2.utils import Namespace

from devices.domain.conventions.homeassistant import extras

_MATHS: Mapping[str, Callable[..., Any]] = {
    name: extras.maths(getattr(math, name))
    for name in ("sqrt", "sin", "cos", "tan", "asin", "acos", "atan")
}

_OWN: Mapping[str, Callable[..., Any]] = {
    "float": extras.to_float,
    "int": extras.to_int,
    "bool": extras.to_bool,
    "is_number": extras.is_number,
    "iif": extras.iif,
    "from_json": extras.from_json,
    "to_json": extras.to_json,
    "as_timestamp": extras.as_timestamp,
    "as_datetime": extras.as_datetime,
    "as_local": extras.as_local,
    "timestamp_custom": extras.timestamp_custom,
    "timestamp_local": extras.timestamp_local,
    "timestamp_utc": extras.timestamp_utc,
    "strptime": extras.strptime,
    "pack": extras.pack,
    "unpack": extras.unpack,
    "clamp": extras.clamp,
    "bitwise_and": extras.bitwise_and,
    "bitwise_or": extras.bitwise_or,
    "log": extras.logarithm,
    **_MATHS,
}

_OF_JINJA = [
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "groupby",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
    "string",
    "sum",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "e",
    "escape",
]

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: filters.FILTERS[name] for name in _OF_JINJA},
    **_OWN,
    "round": extras.to_round,
    "is_defined": extras.is_defined,
    "tojson": extras.tojson,
    "regex_match": extras.regex_match,
    "regex_search": extras.regex_search,
    "regex_replace": extras.regex_replace,
    "regex_findall": extras.regex_findall,
    "regex_findall_index": extras.regex_findall_index,
    "format": extras.formatted,
    "replace": extras.replaced,
    "join": extras.joined,
    "center": extras.centred,
    "contains": extras.contains,
    "ordinal": extras.ordinal,
}


TESTS: Mapping[str, Callable[..., Any]] = {
    **{
        name: test
        for name, test in cast("Mapping[str, Callable[..., Any]]", tests.TESTS).items()
        if name not in ("filter", "test")
    },
    "match": extras.regex_match,
    "search": extras.regex_search,
    "contains": extras.contains,
    "is_number": extras.is_number,
    "list": lambda value: isinstance(value, list),
    "datetime": lambda value: isinstance(value, datetime),
    "string_like": lambda value: isinstance(value, str | bytes),
}

GLOBALS: Mapping[str, Any] = {
    **_OWN,
    "range": extras.bounded_range,
    "dict": dict,
    "namespace": Namespace,
    "min": min,
    "max": max,
    "zip": zip,
    "timedelta": timedelta,
    "pi": math.pi,
    "e": math.e,
    "tau": math.tau,
    "inf": math.inf,
    "True": True,
    "False": False,
    "None": None,
}
