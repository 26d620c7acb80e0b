"""Facts become charges, each once: a fact's unique source is inserted before it is priced."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Sum

from base_ops.core.models import Space
from billing import selectors
from billing.domain import aftermath
from billing.domain.catalog import PriceBook
from billing.domain.facts import (
    BookingFacts,
    ChangeFacts,
    FaultFacts,
    LeaseCutFacts,
    LeaseFacts,
    booking_source,
)
from billing.domain.quote import Kind, Line
from billing.domain.terms import Terms
from billing.domain.texts import Bi, local_day
from billing.models import Charge, Reservation, UsageFact
from billing.models.charges import Document
from billing.models.usage import ReservationState
from billing.selectors import shelf
from billing.services import budgets

BATCH = 500
Fact = BookingFacts | ChangeFacts | FaultFacts | LeaseFacts | LeaseCutFacts


class NotChargedYet(RuntimeError):
    """A credit for a booking without charges: our own fault, for a stay is charged, then credited.

    No request asks for a credit alone, so no caller is ever told.
    """


def charge_booking(*, facts: BookingFacts, now: datetime) -> list[Charge]:
    """Charge what a finished booking owes; the same booking again returns the same charges.

    Raises:
        NotPriced: overtime, energy or a service has no price.
    """
    charge_many([(facts, now)])
    return charges_of(facts.source)


def charge_many(finished: Sequence[tuple[BookingFacts, datetime]]) -> int:
    """Charge finished bookings, each as of its own instant, in a handful of statements.

    Returns:
        How many had not been charged before.

    Raises:
        NotPriced: overtime, energy or a service has no price; nothing was charged.
    """
    book = selectors.price_book()
    spaces = Space.objects.select_related("type").in_bulk({f.space_id for f, _ in finished})
    with transaction.atomic():
        known = claim("booking", [(f, f.tenant_id, at) for f, at in finished], book.version)
        fresh = [(facts, at) for facts, at in finished if facts.source in known]
        _release(fresh)
        books = shelf.settling(book, (_quoted(facts) for facts, _ in fresh))
        terms = selectors.terms_of_many({_version(facts) for facts, _ in fresh})
        Charge.objects.bulk_create(
            (
                charge
                for facts, _ in fresh
                for charge in _of_booking(
                    facts,
                    known[facts.source],
                    spaces[facts.space_id],
                    books[_quoted(facts)],
                    terms[_version(facts)],
                )
            ),
            batch_size=BATCH,
        )
    return len(fresh)


def _version(facts: BookingFacts) -> str:
    """The price book that the frozen quote names; the booking is settled by its terms."""
    return str(facts.quote.get("tariff_version", ""))


def _quoted(facts: BookingFacts) -> tuple[str, date]:
    """The version and the day by which it was priced."""
    return _version(facts), local_day(facts.span.start)


def _of_booking(
    facts: BookingFacts, fact: UsageFact, space: Space, book: PriceBook, terms: Terms
) -> list[Charge]:
    names, tariff = Bi(space.name_zh, space.name_en), space.type.tariff_code
    return _lines(
        fact,
        aftermath.owed(facts, names=names, tariff=tariff, book=book, terms=terms),
        service_on=local_day(facts.span.start),
        booking_code=facts.booking_code,
        space_code=space.code,
    )


def _release(finished: Sequence[tuple[BookingFacts, datetime]]) -> None:
    """Give back what bookings that were not used had reserved."""
    unused = {facts.source: at for facts, at in finished if facts.outcome != "completed"}
    if not unused:
        return
    held = Reservation.objects.filter(source__in=unused, state=ReservationState.RESERVED)
    for source in held.order_by("id").values_list("source", flat=True):
        budgets.release(source=source, now=unused[source])


def known_sources(sources: Iterable[str]) -> set[str]:
    """Those of the facts that are charged already."""
    found = UsageFact.objects.filter(source__in=list(sources))
    return set(found.values_list("source", flat=True))


def credit_fault(*, facts: FaultFacts, now: datetime) -> list[Charge]:
    """Credit an outage on a document of its own; the same fault again returns the same credit.

    Nothing is credited below the policy's minutes, nor beyond what the booking's room cost.

    Raises:
        NotChargedYet: the booking has no charges.
    """
    book = selectors.price_book()
    with transaction.atomic():
        of_booking = UsageFact.objects.select_for_update(no_key=True)
        origin = of_booking.filter(source=booking_source(facts.booking_code)).first()
        if origin is None:
            raise NotChargedYet(facts.booking_code)
        if UsageFact.objects.filter(source=facts.source).exists():
            return charges_of(facts.source)
        charged = list(origin.charges.filter(kind__in=("room", "discount")).order_by("id"))
        entry = _credit(facts, charged, book.policies_on(_day(charged, now)))
        if entry is None:
            return []
        claimed = claim("fault", [(facts, origin.tenant_id, now)], book.version)
        if not claimed:
            return charges_of(facts.source)
        return save_lines(
            claimed[facts.source],
            [("credit", entry)],
            service_on=local_day(now),
            booking_code=facts.booking_code,
            space_code=charged[0].space_code,
            document=Document.CREDIT_NOTE,
        )


def _day(charged: Sequence[Charge], now: datetime) -> date:
    return charged[0].service_on if charged else local_day(now)


def _credit(facts: FaultFacts, charged: Sequence[Charge], policies: Iterable[Any]) -> Line | None:
    """The credit line, less than or equal to what earlier credits left of the price."""
    policy = next((p for p in policies if p.kind == "fault_credit"), None)
    starts = [c.starts_at for c in charged if c.starts_at]
    ends = [c.ends_at for c in charged if c.ends_at]
    if policy is None or not starts:
        return None
    minutes = int((max(ends) - min(starts)).total_seconds()) // 60
    entry = aftermath.fault_credit(
        policy=policy,
        room=[line_of(c) for c in charged],
        booked_min=minutes,
        outage_min=facts.outage_min,
    )
    earlier = Charge.objects.filter(booking_code=facts.booking_code, kind="credit")
    credited = -(earlier.aggregate(n=Sum("gross_fen"))["n"] or 0)
    left = sum(c.gross_fen for c in charged) - credited
    return aftermath.at_most(entry, left) if entry else None


def line_of(charge: Charge) -> Line:
    """The line that became a charge, as far as credits need it."""
    kinds: Mapping[str, Kind] = {"room": "room", "lease": "lease"}
    return Line(
        kind=kinds.get(charge.kind, "discount"),
        description_zh=charge.description_zh,
        description_en=charge.description_en,
        gross_fen=charge.gross_fen,
        net_fen=charge.net_fen,
        vat_fen=charge.vat_fen,
        vat_rate=charge.vat_rate,
        vat_category=charge.vat_category,
        start=charge.starts_at,
        end=charge.ends_at,
        unit_fen=charge.unit_fen,
        policy=charge.policy,
        payer=charge.payer,
    )


def claim(
    kind: str, found: Sequence[tuple[Fact, int, datetime]], version: str
) -> dict[str, UsageFact]:
    """Insert facts (with tenant and instant), waiting for rivals; those that were not there yet.

    Returns:
        The new facts by source.
    """
    rows = {
        facts.source: UsageFact(
            source=facts.source,
            kind=kind,
            tenant_id=tenant_id,
            payload=facts,
            tariff_version=version,
            recorded_at=at,
        )
        for facts, tenant_id, at in found
    }
    new: dict[str, UsageFact] = {}
    for start in range(0, len(found), BATCH):
        batch = list(rows.values())[start : start + BATCH]
        packed = [{name: getattr(row, name) for name in _COLUMNS} for row in batch]
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [json.dumps(packed, cls=_Encoder, ensure_ascii=False)])
            for pk, source in cursor.fetchall():
                new[source] = rows[source]
                new[source].pk = pk
    return new


_COLUMNS = ("source", "kind", "tenant_id", "payload", "tariff_version", "recorded_at")
# One JSON text, not arrays: psycopg quotes the elements of an array one by one, in Python.
_INSERT = (
    "INSERT INTO billing_usagefact"
    " (source, kind, tenant_id, payload, tariff_version, recorded_at)"
    " SELECT * FROM jsonb_to_recordset(%s::jsonb) AS fact(source text, kind text,"
    " tenant_id bigint, payload jsonb, tariff_version text, recorded_at timestamptz)"
    " ON CONFLICT (source) DO NOTHING RETURNING id, source"
)


class _Encoder(DjangoJSONEncoder):
    """Exact instants: Django's own drops microseconds."""

    def default(self, o: Any) -> Any:
        """Instants with their offset, decimals as text, dataclasses as objects."""
        if isinstance(o, datetime):
            return o.isoformat()
        if is_dataclass(o):
            return {field.name: getattr(o, field.name) for field in fields(o)}
        return str(o) if isinstance(o, Decimal) else super().default(o)


def charges_of(source: str) -> list[Charge]:
    """The lines of a fact, in order."""
    return list(Charge.objects.filter(fact__source=source).order_by("id"))


def save_lines(fact: UsageFact, lines: Iterable[tuple[str, Line]], **place: Any) -> list[Charge]:
    """Write the lines of a fact."""
    return Charge.objects.bulk_create(_lines(fact, lines, **place))


def _lines(
    fact: UsageFact,
    lines: Iterable[tuple[str, Line]],
    *,
    service_on: date,
    booking_code: str = "",
    space_code: str = "",
    document: Document = Document.INVOICE,
) -> list[Charge]:
    """The lines of a fact as rows."""
    return [
        Charge(
            source=f"{fact.source}/{key}",
            fact=fact,
            tenant_id=fact.tenant_id,
            document=document,
            kind=entry.kind,
            booking_code=booking_code,
            space_code=space_code,
            service_on=service_on,
            description_zh=entry.description_zh,
            description_en=entry.description_en,
            starts_at=entry.start,
            ends_at=entry.end,
            band=entry.band,
            surge=entry.surge,
            quantity=entry.quantity,
            unit=entry.unit,
            unit_fen=entry.unit_fen,
            price_text=entry.price_text,
            gross_fen=entry.gross_fen,
            net_fen=entry.net_fen,
            vat_fen=entry.vat_fen,
            vat_rate=entry.vat_rate,
            vat_category=entry.vat_category,
            policy=entry.policy,
            payer=entry.payer,
            created_at=fact.recorded_at,
        )
        for key, entry in lines
    ]
