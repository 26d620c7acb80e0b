"""Some money of the demo world: documents of last month, half of them paid, and a claim."""

from datetime import datetime, timedelta
from functools import partial

from base_ops.core import db
from base_ops.core.actors import Actor
from base_ops.core.models import Tenant
from base_ops.core.months import first_of
from billing import services
from billing.domain.texts import local_day
from billing.models import Invoice, InvoiceRun, OpenItem, Payment
from billing.selectors import subsidies as relief
from billing.services import paying, posting, reminding, securities, subsidies, wallets

DEMO = Actor(kind="demo", id="demo", label="demo")
TOP_UP_FEN = 500_000


def stage(*, now: datetime) -> dict[str, int]:
    """Issue last month, pay two of three documents, claim what the district took off.

    Returns:
        How many of each there are now; a world that has payments is left alone.
    """
    if Payment.objects.exists():
        return {"payments": 0, "claims": 0}
    _issue(now)
    posting.post_documents(now)
    paid = sum(
        db.in_transaction(partial(_pay, item, number, now))
        for number, item in enumerate(OpenItem.objects.filter(gross_fen__gt=0).order_by("pk"))
    )
    reminding.remind(now)
    return {"payments": paid, "claims": _claims(now)}


def _issue(now: datetime) -> None:
    """Documents of the month before, unless there are some."""
    if Invoice.objects.exclude(number=None).exists() or InvoiceRun.objects.exists():
        return
    last = first_of(local_day(now)) - timedelta(days=1)
    run = services.preview_run(period_from=first_of(last), period_to=last, actor=DEMO, now=now)
    services.approve_run(run_id=run.pk, actor=DEMO, now=now)
    services.ask_issue(run_id=run.pk, actor=DEMO, now=now)
    services.issue_due(now)


def _pay(item: OpenItem, number: int, now: datetime) -> int:
    """Every third document stays open; every sixth is paid in part, or with too much."""
    if number % 3 == 2:
        return 0
    odd = {0: 0, 1: -item.gross_fen // 2, 3: TOP_UP_FEN}.get(number % 6, 0)
    today = local_day(now)
    tenant = Tenant.objects.get(pk=item.tenant_id)
    wish = paying.PaymentWish(
        method="transfer", amount_fen=item.gross_fen + odd, received_on=today, tenant=tenant,
        bank_reference=f"DEMO{today:%Y%m%d}{number:04d}", payer=tenant.name_zh,
        text=f"付 {item.invoice.number}", source=f"demo/{item.pk}",
    )  # fmt: skip
    row = paying.record(wish=wish, actor=DEMO, now=now)
    paying.allocate(payment_id=row.pk, actor=DEMO, now=now)
    wallets.fill(payment_id=row.pk, actor=DEMO, now=now)
    if number == 0:
        move = securities.Move(200_000, today)
        purpose = f"room/{tenant.code}"
        securities.take(purpose=purpose, tenant=tenant, move=move, actor=DEMO, now=now)
    return 1


def _claims(now: datetime) -> int:
    """One submitted claim for each programme that has something to claim."""
    last = local_day(now)
    made = 0
    for programme in relief.programmes():
        try:
            row = subsidies.draft(
                programme=programme, first=last - timedelta(days=120), last=last, actor=DEMO,
                now=now,
            )  # fmt: skip
        except subsidies.NothingToClaim:
            continue
        subsidies.submit(claim_id=row.pk, actor=DEMO, now=now)
        made += 1
    return made
