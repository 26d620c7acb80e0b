"""The seller's own particulars, changed under their version."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from base_ops.core import audit, uscc
from base_ops.core.actors import Actor
from base_ops.core.errors import FieldFault, Invalid
from billing.models import Seller
from billing.selectors.seller import seller


class BadSeller(Invalid):
    """Not a valid social credit code."""

    code, title_zh, title_en = "bad_seller", "销售方信息有误", "The seller's data is not valid"


def locked_seller() -> Seller:
    """The row, locked in the caller's transaction; made at first sight."""
    Seller.objects.bulk_create([_unsaved()], ignore_conflicts=True)
    return Seller.objects.select_for_update().get(pk=1)


def _unsaved() -> Seller:
    row = seller()
    row._state.adding = True  # noqa: SLF001 - a copy of what may be there is not inserted
    return row


def change_seller(
    *, row: Seller, wish: Mapping[str, object], actor: Actor, now: datetime
) -> Seller:
    """Write the particulars over a locked row; invoices that were issued keep the old ones.

    Raises:
        BadSeller: the social credit code is wrong.
    """
    code = str(wish["uscc"])
    if code and not uscc.is_valid(code):
        fault = FieldFault("uscc", "统一社会信用代码不正确", "not a valid social credit code")
        raise BadSeller(code, fields=[fault])
    before = _shown(row)
    with transaction.atomic():
        for name, value in wish.items():
            setattr(row, name, value)
        row.version += 1
        row.updated_at = now
        row.save()
        audit.record(
            actor=actor, action="seller.change", object_type="seller", object_code="seller",
            before=before, after=_shown(row), now=now,
        )  # fmt: skip
    return row


def _shown(row: Model) -> dict[str, object]:
    hidden = ("id", "updated_at")
    return {f.name: getattr(row, f.name) for f in row._meta.fields if f.name not in hidden}  # noqa: SLF001
