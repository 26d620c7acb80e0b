"""Price lists: drafted, checked, put in force from a day on, withdrawn before that day comes."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from base_ops.core import audit, errors
from base_ops.core.actors import Actor
from base_ops.core.errors import FieldFault
from billing.domain import bookcheck
from billing.domain.catalog import NotPriced
from billing.domain.reading import read_prices
from billing.domain.texts import local_day
from billing.models import PriceBookVersion, PriceList, TermsRow
from billing.models.pricelists import PriceListState
from billing.selectors import pricelists as selectors

MOST_CHARACTERS: Final = 400_000
Check = Callable[[int], None]


class BadPriceList(errors.Invalid):
    """The price list has faults; `fields` names every one with its reason."""

    code, title_zh, title_en = "bad_price_list", "价目有误", "The price list has faults"


class NotADraft(errors.Conflict):
    """Only a draft can be edited or put in force."""

    code, title_zh, title_en = "price_list_not_a_draft", "价目不是草稿", "Not a draft any more"


class DayTaken(errors.Conflict):
    """Another price list begins on that day."""

    code, title_zh, title_en = (
        "price_list_day_taken",
        "当日已有价目生效",
        "Another price list begins on that day",
    )


class Begun(errors.Conflict):
    """A price list whose day has come, or that is not in force, cannot be withdrawn."""

    code, title_zh, title_en = (
        "price_list_not_ahead",
        "价目已生效或未启用，不能撤回",
        "Only a price list whose day has not come can be withdrawn",
    )


def check(*, document: Mapping[str, Any], valid_from: date) -> list[FieldFault]:
    """Everything that is wrong with the document as a price list from that day on."""
    return bookcheck.check(document, valid_from=valid_from, wanted=selectors.needs())


def draft(*, name: str, document: Mapping[str, Any], actor: Actor, now: datetime) -> PriceList:
    """Keep a new draft, faults and all.

    Raises:
        BadPriceList: it cannot be kept: too long, or numbers that are none.
    """
    _storable(document)
    with transaction.atomic():
        _lock()
        highest = PriceList.objects.aggregate(n=Max("number"))["n"] or 0
        row = PriceList.objects.create(
            number=highest + 1, name=name, document=document, changed_by=actor.label[:120],
            changed_at=now,
        )  # fmt: skip
        _record("price_list.draft", row, None, actor, now)
    return row


def edit(
    *,
    number: int,
    name: str,
    document: Mapping[str, Any],
    check: Check,
    actor: Actor,
    now: datetime,
) -> PriceList:
    """Replace a draft; `check` sees the version that is replaced before anything changes.

    Raises:
        NoSuchPriceList: there is none.
        NotADraft: it was in force.
        BadPriceList: it cannot be kept.
    """
    _storable(document)
    with transaction.atomic():
        row = _draft(number, check)
        before = _said(row)
        row.name, row.document = name, document
        _save(row, "price_list.edit", before, actor, now)
    return row


def activate(
    *, number: int, valid_from: date, check: Check, actor: Actor, now: datetime
) -> PriceList:
    """Put a draft in force: use from that day on is priced by it, whatever was quoted before.

    Raises:
        NoSuchPriceList: there is none.
        NotADraft: it was in force before.
        DayTaken: another one begins on that day.
        BadPriceList: it has faults, or the day is past.
    """
    with transaction.atomic():
        version = _lock()
        row = _draft(number, check)
        if valid_from < local_day(now):
            raise BadPriceList("the day is past", fields=[_past()])
        faults = bookcheck.check(row.document, valid_from=valid_from, wanted=selectors.needs())
        if faults:
            raise BadPriceList(f"{len(faults)} faults", fields=faults)
        if PriceList.objects.filter(state=PriceListState.ACTIVE, valid_from=valid_from).exists():
            raise DayTaken(str(valid_from))
        book = read_prices(row.document)
        TermsRow.objects.get_or_create(
            fingerprint=book.version, defaults={"terms": book.terms.as_json(), "loaded_at": now}
        )
        before = _said(row)
        row.state, row.valid_from = PriceListState.ACTIVE, valid_from
        row.fingerprint = book.version
        _save(row, "price_list.activate", before, actor, now)
        _tell(version)
    return row


def withdraw(*, number: int, check: Check, actor: Actor, now: datetime) -> PriceList:
    """Take back a price list before its day; bookings that it was quoted for keep its prices.

    Raises:
        NoSuchPriceList: there is none.
        Begun: its day has come, or it is not in force.
    """
    with transaction.atomic():
        version = _lock()
        row = _row(number, check)
        ahead = row.valid_from is not None and row.valid_from > local_day(now)
        if row.state != PriceListState.ACTIVE or not ahead:
            raise Begun(f"{row.number} is {row.state}")
        before = _said(row)
        row.state = PriceListState.WITHDRAWN
        _save(row, "price_list.withdraw", before, actor, now)
        _tell(version)
    return row


def _lock() -> PriceBookVersion:
    """Who changes what is in force comes one after another.

    Raises:
        NotPriced: there is no price book that a list could follow.
    """
    found = PriceBookVersion.objects.select_for_update().filter(pk=1).first()
    if found is None:
        raise NotPriced("no price book was loaded yet")
    return found


def _tell(version: PriceBookVersion) -> None:
    """Every process reads again."""
    version.advance()
    version.save(update_fields=["serial"])


def _row(number: int, check: Check) -> PriceList:
    selectors.price_list(number)
    row = PriceList.objects.select_for_update(no_key=True).get(number=number)
    check(row.version)
    return row


def _draft(number: int, check: Check) -> PriceList:
    row = _row(number, check)
    if row.state != PriceListState.DRAFT:
        raise NotADraft(f"{row.number} is {row.state}")
    return row


def _save(
    row: PriceList, action: str, before: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    row.version += 1
    row.changed_by, row.changed_at = actor.label[:120], now
    row.save()
    _record(action, row, before, actor, now)


def _record(
    action: str, row: PriceList, before: Mapping[str, Any] | None, actor: Actor, now: datetime
) -> None:
    audit.record(
        actor=actor, action=action, object_type="price_list", object_code=str(row.number),
        before=before, after=_said(row), now=now,
    )  # fmt: skip


def _said(row: PriceList) -> dict[str, Any]:
    day = row.valid_from.isoformat() if row.valid_from else None
    said = {"name": row.name, "state": str(row.state), "valid_from": day}
    return said | {"document": row.document}


def _storable(document: Mapping[str, Any]) -> None:
    """What the database can hold and a person can have written."""
    try:
        length = len(json.dumps(document, allow_nan=False))
    except ValueError as exc:
        raise BadPriceList("not JSON", fields=[_unkept()]) from exc
    if length > MOST_CHARACTERS:
        raise BadPriceList(f"{length} characters", fields=[_unkept()])


def _unkept() -> FieldFault:
    return FieldFault(
        "document",
        f"须为有效 JSON，至多 {MOST_CHARACTERS} 个字符",
        f"must be JSON of at most {MOST_CHARACTERS} characters",
    )


def _past() -> FieldFault:
    return FieldFault("valid_from", "不能早于今天", "not before today")
