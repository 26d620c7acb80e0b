"""The alarm rules in force: read once in a while, kept in memory because each batch asks."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from base_ops.core.models import Space, SpaceType
from devices.directory import Entry
from devices.domain.alarmrules import Book, Kind, Known, Rule, Subject, standard
from devices.domain.alarmrules import book as books
from devices.models import AlarmRules, Device, DeviceModel

logger = logging.getLogger(__name__)
MAX_AGE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at of one device.

    Args:
        limits: (metric, low, high): a value between the two is nothing to think about unless
            something is pending; so most measurements cost two comparisons.
        by_metric: the rules behind them.
    """

    entry: Entry
    limits: tuple[tuple[str, float, float], ...]
    by_metric: Mapping[str, tuple[Rule, ...]]


class _Cache:
    """The book that was read last, and what of it is for which device."""

    def __init__(self) -> None:
        self.book = books.compiled(standard.document(), standard.VERSION)
        self.read_at: datetime | None = None
        self.by_device: dict[int, Watched] = {}


_cache = _Cache()


def forget() -> None:
    """Read again before the next answer."""
    _cache.read_at = None


def alarm_rules(now: datetime) -> Book:
    """The rules in force, at most five seconds old; the standard ones where there are none."""
    at = _cache.read_at
    if at is None or not timedelta(0) <= now - at < MAX_AGE:
        row = newest()
        version = row.version if row else standard.VERSION
        document = row.document if row else standard.document()
        if version != _cache.book.version or at is None:
            _cache.book, _cache.by_device = books.compiled(document, version), {}
            if _cache.book.faults:
                logger.warning("alarm_rules.faults", extra={"faults": _cache.book.faults})
        _cache.read_at = now
    return _cache.book


def newest() -> AlarmRules | None:
    """The newest version."""
    return AlarmRules.objects.order_by("-version").first()


def watched(entry: Entry, book: Book) -> Watched:
    """What the measurements of a device are looked at for."""
    found = _cache.by_device.get(entry.id)
    if found is None or found.entry is not entry or book is not _cache.book:
        by_metric = book.by_metric(subject_of(entry)) if entry.is_active else {}
        limits = tuple((metric, *_band(rules, entry)) for metric, rules in by_metric.items())
        found = Watched(entry, limits, by_metric)
        if book is _cache.book:
            _cache.by_device[entry.id] = found
    return found


def _band(rules: Sequence[Rule], entry: Entry) -> tuple[float, float]:
    """Strictly between these, no rule is broken."""
    lows, highs = [-math.inf], [math.inf]
    for rule in rules:
        limit = float(rule.params["limit"])
        if rule.kind is Kind.LOAD:
            highs.append(limit * entry.circuit_w if entry.circuit_w else math.inf)
        elif rule.params.get("side") == "below":
            lows.append(limit)
        else:
            highs.append(limit)
    return max(lows), min(highs)


def subject_of(entry: Entry) -> Subject:
    """A device as scopes see it."""
    return Subject(
        code=entry.code,
        kind=entry.kind,
        model=entry.shown.get("model", ""),
        role=entry.role,
        space=entry.space_code,
        space_type=entry.space_type,
    )


def known_codes() -> Known:
    """Everything that a scope can name."""
    return Known(
        {
            "models": set(DeviceModel.objects.values_list("code", flat=True)),
            "space_types": set(SpaceType.objects.values_list("code", flat=True)),
            "spaces": set(Space.objects.values_list("code", flat=True)),
            "devices": set(Device.objects.values_list("code", flat=True)),
        }
    )
