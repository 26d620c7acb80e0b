"""Price lists as they are made, and what every price list must have a price for."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Q

from base_ops.core import errors
from base_ops.core.models import Space
from base_ops.core.models.places import BookingMode
from billing import lending
from billing.domain import booktext
from billing.domain.needs import How, Needs
from billing.models import PriceList
from billing.models.pricelists import PriceListState
from billing.selectors.book import price_book


class NoSuchPriceList(errors.NotFound):
    """There is no price list of that number."""

    code, title_zh, title_en = "no_such_price_list", "没有此价目版本", "No such price list"


def price_list(number: int) -> PriceList:
    """The price list of that number.

    Raises:
        NoSuchPriceList: there is none.
    """
    found = PriceList.objects.filter(number=number).first()
    if found is None:
        raise NoSuchPriceList(str(number))
    return found


def needs() -> Needs:
    """What is let, and what is lent by the hour."""
    found: dict[tuple[str, How], str] = {}
    taken = Q(bookable=True, booking_mode__in=(BookingMode.HOURLY, BookingMode.SLOT))
    monthly = Q(rentable_monthly=True) | Q(bookable=True, booking_mode=BookingMode.MONTHLY)
    ways: tuple[tuple[How, Q], ...] = (("single", taken), ("monthly", monthly))
    for how, let in ways:
        rows = Space.objects.filter(let).exclude(type__tariff_code="").order_by("-code")
        for code, tariff in rows.values_list("code", "type__tariff_code"):
            found[tariff, how] = code
    return Needs(found, lending.services())


def in_force(on: date) -> tuple[str, int | None, Mapping[str, Any]]:
    """Version, number and document of the prices of a day; those of the data file have no number.

    Raises:
        NotPriced: no price book was loaded.
    """
    book = price_book().on(on)
    row = PriceList.objects.filter(
        state=PriceListState.ACTIVE, fingerprint=book.version, valid_from__lte=on
    ).first()
    if row is None:
        return book.version, None, booktext.as_document(book)
    return book.version, row.number, row.document
