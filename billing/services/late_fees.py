"""What being late costs becomes charges: each month's days once, and the rest when it is paid."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Max, Q, Sum

from base_ops.core.months import first_of
from billing import selectors
from billing.domain import dunning
from billing.domain.quote import Line, line
from billing.domain.texts import Bi, local_day
from billing.models import InvoiceLine, LateFee, OpenItem, UsageFact
from billing.services import charging, reminding

DAY = timedelta(days=1)


def charge_late_fees(now: datetime) -> int:
    """Charge the late days of documents: of months that are over, and of what was paid since.

    Returns:
        How many charges were made; the same day again makes none.
    """
    today, plan = local_day(now), reminding.plan()
    if not plan.per_day:
        return 0
    rows = OpenItem.objects.filter(gross_fen__gt=0, due_on__lt=today - DAY)
    rows = rows.annotate(until=Max("late_fees__last_on"), paid_on=Max("allocations__on"))
    month = first_of(today) - DAY
    late = Q(until=None) | Q(until__lt=month)
    rows = rows.filter(
        Q(late, gross_fen__gt=F("settled_fen"), due_on__lt=month)
        | Q(
            Q(until=None) | Q(until__lt=F("paid_on") - DAY),
            gross_fen=F("settled_fen"),
            paid_on__gt=F("due_on") + DAY,
        )
    )
    made = 0
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        made += _charge(pk, plan, today, now)
    return made


def _charge(pk: int, plan: dunning.Plan, today: date, now: datetime) -> int:
    """Charge one document's late days up to the end of last month, or up to its last payment."""
    with transaction.atomic():
        rows = OpenItem.objects.select_for_update(of=("self",), no_key=True)
        item = rows.select_related("invoice").get(pk=pk)
        charged = LateFee.objects.filter(item=item).aggregate(
            last=Max("last_on"), n=Sum("amount_fen")
        )
        first = (charged["last"] or item.due_on) + DAY
        settled = list(item.allocations.values_list("on", "amount_fen"))
        last = first_of(today) - DAY
        if not item.open_fen and settled:
            last = max(on for on, _ in settled) - DAY
        if last < first:
            return 0
        amount_fen = dunning.late_fee_fen(
            first=first,
            last=last,
            principal_fen=_principal(item),
            settled=settled,
            per_day=plan.per_day,
            left_fen=item.gross_fen * plan.cap_pct // 100 - (charged["n"] or 0),
        )
        row = LateFee(item=item, first_on=first, last_on=last, amount_fen=amount_fen)
        if amount_fen:
            row.charge = charging.save_lines(
                _fact(item, first, last, amount_fen, now),
                [("0", _line(item, first, last, amount_fen))],
                service_on=last,
            )[0]
        row.save()
    return int(amount_fen > 0)


def _principal(item: OpenItem) -> int:
    """Late fees bear no late fees."""
    lines = InvoiceLine.objects.filter(invoice=item.invoice)
    found = lines.exclude(charge__kind="late_fee").aggregate(n=Sum("gross_fen"))
    return max(found["n"] or 0, 0)


def _fact(item: OpenItem, first: date, last: date, amount_fen: int, now: datetime) -> UsageFact:
    return UsageFact.objects.create(
        source=f"late/{item.invoice.number}/{first}..{last}",
        kind="late_fee",
        tenant_id=item.tenant_id,
        payload={
            "invoice": item.invoice.number, "first": str(first), "last": str(last),
            "amount_fen": amount_fen,
        },
        tariff_version=selectors.price_book().version,
        recorded_at=now,
    )  # fmt: skip


def _line(item: OpenItem, first: date, last: date, amount_fen: int) -> Line:
    """A price outside the price: it is taxed as most of the document."""
    lines = InvoiceLine.objects.filter(invoice=item.invoice).values("vat_category", "vat_rate")
    most = lines.annotate(n=Sum("gross_fen")).order_by("-n", "vat_category").first()
    vat = (most["vat_category"], most["vat_rate"]) if most else ("none", Decimal(0))
    days = (last - first).days + 1
    text = Bi(
        f"滞纳金 {item.invoice.number} {first} 至 {last}({days} 天)",
        f"Late fee {item.invoice.number}, {first} to {last} ({days} days)",
    )
    return line("late_fee", text, amount_fen, vat=vat, quantity=str(days), unit="天")
