"""What Home Assistant's templates have beyond Jinja's, and which of Jinja's own may be used.

Without whatever looks at a house: there are no other entities here, no areas, no random numbers.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Undefined, filters
from jinja2.exceptions import UndefinedError

from devices.domain.conventions.homeassistant import patterns, sandbox

ZONE = ZoneInfo("Asia/Shanghai")
_NONE: Any = object()
_PRECISION = 15


def _or_default(default: Any, why: str) -> Any:
    if default is _NONE:
        raise ValueError(why)
    return default


def to_float(value: Any, default: Any = _NONE) -> Any:
    """`float`, or the default."""
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return _or_default(default, f"float got invalid input {str(value)[:40]!r}")


def to_int(value: Any, default: Any = _NONE, base: int = 10) -> Any:
    """`int`, or the default; texts of another base too."""
    try:
        return (
            int(value, base=base) if isinstance(value, str) and base != 10 else int(float(value))
        )
    except (ValueError, TypeError, OverflowError):
        pass
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        return _or_default(default, f"int got invalid input {str(value)[:40]!r}")


def to_round(value: Any, precision: int = 0, method: str = "common", default: Any = _NONE) -> Any:
    """Rounded: common, ceil, floor or half; a whole number where precision is 0."""
    if abs(precision) > _PRECISION:
        raise ValueError(f"round goes to {_PRECISION} digits")
    try:
        scale = float(10**precision)
        number = float(value)
        match method:
            case "ceil":
                rounded = math.ceil(number * scale) / scale
            case "floor":
                rounded = math.floor(number * scale) / scale
            case "half":
                rounded = round(number * 2) / 2
            case _:
                rounded = round(number, precision)
        return int(rounded) if precision == 0 else rounded
    except (ValueError, TypeError, OverflowError):
        return _or_default(default, f"round got invalid input {str(value)[:40]!r}")


def to_bool(value: Any, default: Any = _NONE) -> Any:
    """True for what people write for true."""
    text = str(value).lower().strip()
    if text in {"1", "true", "yes", "on", "enable"}:
        return True
    if text in {"0", "false", "no", "off", "disable"}:
        return False
    return _or_default(default, f"bool got invalid input {text[:40]!r}")


def is_number(value: Any) -> bool:
    """Whether it is a finite number or the text of one."""
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (ValueError, TypeError, OverflowError):
        return False


def is_defined(value: Any) -> Any:
    """The value; an error where there is none."""
    if isinstance(value, Undefined):
        raise UndefinedError("a value is missing")
    return value


def iif(value: Any, yes: Any = True, no: Any = False, none: Any = _NONE) -> Any:
    """One of two (or three) values."""
    if value is None and none is not _NONE:
        return none
    return yes if value else no


def from_json(text: Any, default: Any = _NONE) -> Any:
    """What the JSON says."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return _or_default(default, "from_json got invalid JSON")


def to_json(value: Any, *_: Any, **__: Any) -> str:
    """Compact JSON."""
    return json.dumps(sandbox.measured(value), ensure_ascii=False, separators=(",", ":"))


def tojson(value: Any, *_: Any, **__: Any) -> str:
    """JSON as Jinja writes it."""
    return json.dumps(sandbox.measured(value), ensure_ascii=False)


def regex_match(text: Any, find: str = "", ignorecase: bool = False) -> bool:
    """Whether the text begins with a match."""
    pattern = _pattern(find, ignorecase)
    return bool(pattern.compiled.match(pattern.fits(str(text))))


def regex_search(text: Any, find: str = "", ignorecase: bool = False) -> bool:
    """Whether there is a match."""
    pattern = _pattern(find, ignorecase)
    return bool(pattern.compiled.search(pattern.fits(str(text))))


def regex_replace(
    text: Any = "", find: str = "", replace: str = "", ignorecase: bool = False
) -> str:
    """The text with all matches replaced."""
    sandbox.check_replace(str(text), "", str(replace))
    pattern = _pattern(find, ignorecase)
    return pattern.compiled.sub(replace, pattern.fits(str(text)))


def regex_findall(text: Any, find: str = "", ignorecase: bool = False) -> list[Any]:
    """All matches."""
    pattern = _pattern(find, ignorecase)
    return pattern.compiled.findall(pattern.fits(str(text)))


def regex_findall_index(
    text: Any, find: str = "", index: int = 0, ignorecase: bool = False
) -> Any:
    """One of the matches."""
    return regex_findall(text, find, ignorecase)[index]


def _pattern(find: str, ignorecase: bool) -> patterns.Pattern:
    return patterns.compiled(str(find), re.IGNORECASE if ignorecase else 0)


def as_timestamp(value: Any, default: Any = _NONE) -> Any:
    """Seconds since the epoch."""
    try:
        return _moment(value).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return _or_default(default, "as_timestamp got invalid input")


def as_datetime(value: Any, default: Any = _NONE) -> Any:
    """A moment, from seconds or a text."""
    try:
        return _moment(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return (
            None if default is _NONE and isinstance(value, str) else _or_default(default, "time")
        )


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=ZONE)
    if is_number(value):
        return datetime.fromtimestamp(float(value), UTC)
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def as_local(value: datetime) -> datetime:
    """The moment by the base's clock."""
    return _moment(value).astimezone(ZONE)


def timestamp_custom(
    value: Any, form: str = "%Y-%m-%d %H:%M:%S", local: bool = True, default: Any = _NONE
) -> Any:
    """Seconds since the epoch, written out."""
    sandbox.check_format(form)
    try:
        moment = datetime.fromtimestamp(float(value), UTC)
        return (moment.astimezone(ZONE) if local else moment).strftime(form)
    except (ValueError, TypeError, OverflowError, OSError):
        return _or_default(default, "timestamp_custom got invalid input")


def timestamp_local(value: Any, default: Any = _NONE) -> Any:
    """Seconds since the epoch, in ISO form by the base's clock."""
    try:
        return datetime.fromtimestamp(float(value), UTC).astimezone(ZONE).isoformat()
    except (ValueError, TypeError, OverflowError, OSError):
        return _or_default(default, "timestamp_local got invalid input")


def timestamp_utc(value: Any, default: Any = _NONE) -> Any:
    """Seconds since the epoch, in ISO form."""
    try:
        return datetime.fromtimestamp(float(value), UTC).isoformat()
    except (ValueError, TypeError, OverflowError, OSError):
        return _or_default(default, "timestamp_utc got invalid input")


def strptime(text: Any, form: str, default: Any = _NONE) -> Any:
    """A moment, read by a form."""
    try:
        return datetime.strptime(str(text)[:100], form[:100]).replace(tzinfo=ZONE)
    except (ValueError, TypeError, re.error):
        return _or_default(default, "strptime got invalid input")


def unpack(value: bytes, form: str, offset: int = 0) -> Any:
    """A value, or values, of binary data; None where it is too short."""
    sandbox.check_format(form)
    try:
        found = struct.unpack_from(form, value, offset)
    except struct.error:
        return None
    return found[0] if len(found) == 1 else found


def pack(value: Any, form: str) -> bytes | None:
    """Binary data of a value."""
    sandbox.check_format(form)
    try:
        return struct.pack(form, value)
    except struct.error:
        return None


def bounded_range(*bounds: int) -> range:
    """`range`, of a bearable length."""
    found = range(*bounds)
    if len(found) > sandbox.MAX_ITEMS:
        raise sandbox.TooMuch("the range is too long")
    return found


def formatted(value: Any, *args: Any, **kwargs: Any) -> str:
    """`format`, of bearable width."""
    sandbox.check_format(str(value))
    return str(filters.do_format(str(value), *args, **kwargs))


def replaced(text: Any, old: str, new: str, count: int = -1) -> str:
    """`replace`, bounded."""
    sandbox.check_replace(str(text), str(old), str(new))
    return str(text).replace(str(old), str(new), count)


def joined(values: Iterable[Any], between: str = "", attribute: str | int | None = None) -> str:
    """`join`, bounded."""
    parts = list(islice(sandbox.looped(values), sandbox.MAX_ITEMS))
    if attribute is not None:
        parts = [part[attribute] for part in parts]
    texts = [str(sandbox.measured(part)) for part in parts]
    if sum(map(len, texts)) + len(texts) * len(str(between)) > sandbox.MAX_TEXT:
        raise sandbox.TooMuch("the text grows too long")
    return str(between).join(texts)


def centred(text: Any, width: int = 80) -> str:
    """`center`, bounded."""
    return str(text).center(min(width, 1_000))


def clamp(value: float, low: float, high: float) -> float:
    """The value, kept between two."""
    return max(low, min(value, high))


def bitwise_and(left: int, right: int) -> int:
    """The bits of both."""
    return left & right


def bitwise_or(left: int, right: int) -> int:
    """The bits of either."""
    return left | right


def contains(values: Any, value: Any) -> bool:
    """Whether the value is in there."""
    return value in values


def ordinal(value: int) -> str:
    """1st, 2nd, …"""
    tail = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{tail}"


def maths(function: Callable[..., float]) -> Callable[..., Any]:
    """A function of one number, with a default for what is none."""

    def safe(value: Any, default: Any = _NONE) -> Any:
        try:
            return function(float(value))
        except (ValueError, TypeError, OverflowError):
            return _or_default(default, f"{function.__name__} got invalid input")

    return safe


def logarithm(value: Any, base: Any = math.e, default: Any = _NONE) -> Any:
    """`log`."""
    try:
        return math.log(float(value), float(base))
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        return _or_default(default, "log got invalid input")


def clocks(now_ms: int) -> dict[str, Any]:
    """What asks the time: it is given."""
    moment = datetime.fromtimestamp(now_ms / 1000, UTC)
    local = moment.astimezone(ZONE)

    def today_at(at: str = "") -> datetime:
        clock = time_of_day.fromisoformat(at) if at else time_of_day()
        return datetime.combine(date(local.year, local.month, local.day), clock, ZONE)

    return {"now": lambda: local, "utcnow": lambda: moment, "today_at": today_at}
