"""Puts the booking figures together: values with meaning, source and coverage, as one may see it.

`aggregate` is for the district: nothing that tells of fewer than three tenants is in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing import selectors as billing
from booking.domain import figures as meaning
from booking.domain.figures import Definition
from booking.schemas.figures import By, CoverageOut, FigureOut, FiguresOut, ValueOut
from booking.selectors import Part
from booking.selectors import figures as read
from booking.selectors.figures import Count, Period, Use


@dataclass(frozen=True, slots=True)
class Cell:
    """One value before anybody decides whether it may be shown."""

    shown: ValueOut
    tenants: frozenset[int]


def booking_figures(
    *, first: date, last: date, by: By, aggregate: bool, now: datetime
) -> FiguresOut:
    """Every figure of the days [first, last).

    Raises:
        billing's NotPriced: no price book was loaded, so there are no time bands.
    """
    bands = sorted(billing.price_book().on(first).bands, key=lambda band: band.from_min)
    period = Period(first, last, by, [Part(band.from_min, band.to_min) for band in bands])
    found = [
        *_of_time(period, [band.code for band in bands], aggregate=aggregate, now=now),
        *_of_bookings(read.counts(period, now=now), aggregate=aggregate),
        _of_sessions(read.sessions(period, now=now), aggregate=aggregate),
        _of_refusals(read.refusals(period, now=now), aggregate=aggregate),
    ]
    return FiguresOut(from_=first, to=last, by=by, figures=found)


def _of_time(
    period: Period, bands: Sequence[str], *, aggregate: bool, now: datetime
) -> list[FigureOut]:
    """Utilisation and booked ratio, by group and band."""
    uses = read.uses(period, now=now)
    covered = read.covered(period, now=now)
    of_booked = [
        _share(group, bands[no], use, "booked_min", use.booked_min, use.booked_tenants)
        for (group, no), use in sorted(uses.items())
    ]
    of_used = [
        _share(group, bands[no], use, "used_min", use.used_min, use.used_tenants)
        for (group, no), use in sorted(uses.items())
    ]
    nothing: tuple[int, frozenset[int]] = (0, frozenset())
    return [
        _figure(meaning.UTILISATION, of_used, covered.get("used", nothing), aggregate=aggregate),
        _figure(meaning.BOOKED, of_booked, covered.get("booked", nothing), aggregate=aggregate),
    ]


def _share(
    group: str, band: str, use: Use, name: str, minutes: float, tenants: frozenset[int]
) -> Cell:
    of = {name: round(minutes, 2), "open_min": round(use.open_min, 2)}
    value = _ratio(minutes, use.open_min)
    return Cell(ValueOut(group=group, part=band, value=value, of=of), tenants)


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _of_bookings(counts: Mapping[str, Count], *, aggregate: bool) -> list[FigureOut]:
    """Rates, lead times and lengths of the bookings that start in the period, by group."""
    rows = sorted(counts.items())
    wide = {
        meaning.NO_SHOW: [(g, c, *_no_show(c)) for g, c in rows],
        meaning.CANCELLED: [(g, c, *_cancelled(c)) for g, c in rows],
        meaning.LEAD_MEDIAN: [(g, c, _hours(c.lead_median_h), _leads(c)) for g, c in rows],
        meaning.LEAD_P90: [(g, c, _hours(c.lead_p90_h), _leads(c)) for g, c in rows],
        meaning.LENGTH: [(g, c, *_length(c)) for g, c in rows],
    }
    everybody = frozenset(tenant for count in counts.values() for tenant in count.tenants)
    return [
        _figure(
            definition,
            [Cell(ValueOut(group=g, value=value, of=of), c.tenants) for g, c, value, of in cells],
            (round(sum(of[_STANDS_ON[definition.code]] for *_, of in cells)), everybody),
            aggregate=aggregate,
        )
        for definition, cells in wide.items()
    ]


# Which of a figure's own numbers counts the bookings that it stands on.
_STANDS_ON = {
    "no_show_rate": "decided",
    "cancellation_rate": "bookings",
    "lead_median_h": "bookings",
    "lead_p90_h": "bookings",
    "average_length_min": "bookings",
}
Value = tuple[float | None, dict[str, float]]


def _no_show(count: Count) -> Value:
    decided = count.completed + count.no_show
    return _ratio(count.no_show, decided), {"no_shows": count.no_show, "decided": decided}


def _cancelled(count: Count) -> Value:
    every = count.cancelled + count.booked
    return _ratio(count.cancelled, every), {"cancelled": count.cancelled, "bookings": every}


def _hours(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _leads(count: Count) -> dict[str, float]:
    return {"bookings": count.leads}


def _length(count: Count) -> Value:
    value = round(count.booked_min / count.booked, 2) if count.booked else None
    return value, {"booked_min": round(count.booked_min, 2), "bookings": count.booked}


def _of_sessions(rows: Sequence[read.Sessions], *, aggregate: bool) -> FigureOut:
    cells = [
        Cell(
            ValueOut(
                space_type=row.space_type,
                tenant_category=row.category,
                value=row.sessions,
                of={"hours": round(row.hours, 2), "tenants": len(row.tenants)},
            ),
            row.tenants,
        )
        for row in rows
    ]
    everybody = frozenset(tenant for row in rows for tenant in row.tenants)
    total = sum(row.sessions for row in rows)
    return _figure(meaning.SESSIONS, cells, (total, everybody), aggregate=aggregate)


def _of_refusals(rows: Sequence[tuple[str, str, int]], *, aggregate: bool) -> FigureOut:
    """By rule; who sees aggregates only does not see the types of space apart."""
    counted: dict[tuple[str, str | None], int] = {}
    for rule, kind, count in rows:
        key = (rule, None if aggregate else kind)
        counted[key] = counted.get(key, 0) + count
    values = [ValueOut(rule=rule, space_type=kind, value=n) for (rule, kind), n in counted.items()]
    note = CoverageOut(
        bookings=0,
        note_zh="被拒的请求没有形成预订,按次计",
        note_en="Refused requests are no bookings; they are counted themselves",
    )
    return _out(meaning.REFUSALS, note, values)


def _figure(
    definition: Definition,
    cells: Sequence[Cell],
    coverage: tuple[int, frozenset[int]],
    *,
    aggregate: bool,
) -> FigureOut:
    count, everybody = coverage
    known = not aggregate or not meaning.suppressed({"": everybody})
    values = _kept_apart(cells) if aggregate else [cell.shown for cell in cells]
    return _out(definition, CoverageOut(bookings=count if known else None), values)


def _kept_apart(cells: Collection[Cell]) -> list[ValueOut]:
    """The values, without those that tell of one or two tenants."""
    hidden = meaning.suppressed({no: cell.tenants for no, cell in enumerate(cells)})
    return [
        cell.shown.model_copy(update={"value": None, "of": {}, "suppressed": True})
        if no in hidden
        else cell.shown
        for no, cell in enumerate(cells)
    ]


def _out(definition: Definition, coverage: CoverageOut, values: list[ValueOut]) -> FigureOut:
    return FigureOut(
        code=definition.code,
        kpi=definition.kpi,
        unit=definition.unit,
        name_zh=definition.name_zh,
        name_en=definition.name_en,
        definition_zh=definition.definition_zh,
        definition_en=definition.definition_en,
        source=meaning.SOURCE,
        coverage=coverage,
        values=values,
    )
