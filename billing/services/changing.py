"""The fee for moving a booking late."""

from datetime import datetime

from django.db import transaction

from base_ops.core.models import Space
from billing import selectors
from billing.domain import aftermath
from billing.domain.facts import ChangeFacts
from billing.domain.texts import Bi, local_day
from billing.models import Charge
from billing.services import charging


def charge_change(*, facts: ChangeFacts, now: datetime) -> list[Charge]:
    """Charge one change of a booking; the same change again returns the same charge.

    Raises:
        ValueError: the booking had no room price.
    """
    book = selectors.price_book()
    with transaction.atomic():
        claimed = charging.claim("change", [(facts, facts.tenant_id, now)], book.version)
        if not claimed:
            return charging.charges_of(facts.source)
        space = Space.objects.get(pk=facts.space_id)
        entry = aftermath.change_fee(facts, names=Bi(space.name_zh, space.name_en))
        return charging.save_lines(
            claimed[facts.source],
            [("fee", entry)],
            service_on=local_day(now),
            booking_code=facts.booking_code,
            space_code=space.code,
        )
