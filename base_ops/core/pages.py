"""Cursor pages: stable while rows are added, cheap at any depth."""

import base64
import json
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from ninja import Schema

from base_ops.core import errors

M = TypeVar("M", bound=Model)
S = TypeVar("S")

MAX_LIMIT = 500


class Page(Schema, Generic[S]):
    """Some rows, and the cursor of what follows (null at the end)."""

    items: list[S]
    next: str | None = None


class BadCursor(errors.Invalid):
    """A cursor that this server did not give out."""

    code, title_zh, title_en = "bad_cursor", "翻页游标无效", "Not a cursor of this list"


def cut(
    rows: QuerySet[M], *, by: str, descending: bool, cursor: str | None, limit: int
) -> tuple[list[M], str | None]:
    """One page of `rows` ordered by (`by`, pk).

    Args:
        rows: filtered, unordered.
        by: a field name whose values are JSON-able by str (datetimes, codes, dates).
        descending: newest first.
        cursor: from the page before, or None.
        limit: 1 to 500.

    Returns:
        The rows and the next cursor, or None when these are the last.

    Raises:
        BadCursor: the cursor is not ours.
    """
    op = "lt" if descending else "gt"
    if cursor is not None:
        field = rows.model._meta.get_field(by)  # noqa: SLF001 - documented by Django
        value, pk = _read(cursor, field)
        rows = rows.filter(Q(**{f"{by}__{op}": value}) | Q(**{by: value, f"pk__{op}": pk}))
    sign = "-" if descending else ""
    limit = max(1, min(limit, MAX_LIMIT))
    found = list(rows.order_by(f"{sign}{by}", f"{sign}pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _write(getattr(last, by), last.pk)


def _write(value: object, pk: object) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return base64.urlsafe_b64encode(json.dumps([text, pk]).encode()).decode()


def _read(cursor: str, field: Any) -> tuple[object, int]:
    try:
        match json.loads(base64.urlsafe_b64decode(cursor.encode())):
            case [str(text), int(pk)] if not isinstance(pk, bool):
                return _value(text, field), pk
            case _:
                raise BadCursor(cursor[:40])
    except (ValueError, OverflowError, RecursionError, ValidationError) as exc:
        raise BadCursor(cursor[:40]) from exc


def _value(text: str, field: "Field[Any, Any]") -> object:
    """What the field makes of the text.

    Raises:
        ValueError, ValidationError: nothing that it could have written.
    """
    text.encode()  # half a surrogate pair is no text
    value = field.to_python(text)
    if "\x00" in text or (isinstance(value, datetime) and value.tzinfo is None):
        raise ValueError(text)
    return value
