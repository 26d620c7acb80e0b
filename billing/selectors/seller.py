"""The seller as it is now."""

from billing.models import Seller
from billing.seller import PROPERTY, SELLER


def seller() -> Seller:
    """The one row; before it was ever saved, the illustrative seller."""
    return Seller.objects.filter(pk=1).first() or Seller(pk=1, **SELLER, **PROPERTY)


def as_copied() -> dict[str, str]:
    """What an invoice keeps of the seller."""
    row = seller()
    return {name: getattr(row, name) for name in (*SELLER, *PROPERTY)} | {
        "cross_city": "Y" if row.cross_city else "N"
    }
