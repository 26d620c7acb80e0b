"""Factors and rates as the API says them."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator


def _plain(value: object) -> object:
    """A decimal as text without needless zeros."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


Plain = Annotated[str, BeforeValidator(_plain)]
"""A factor or rate as text, e.g. "0.06": no float near money."""
