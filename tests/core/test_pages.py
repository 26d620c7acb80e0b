"""Cursors: ours lead on, all others are refused."""

import base64
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from base_ops.core.models import AuditEntry, Space
from base_ops.core.pages import BadCursor, cut
from billing.models import Charge
from tests import make

pytestmark = pytest.mark.django_db

AT = datetime(2026, 9, 15, 7, 0, tzinfo=UTC).isoformat()
LISTS: list[tuple[Any, str, str]] = [
    (AuditEntry, "at", AT),
    (Charge, "service_on", date(2026, 9, 15).isoformat()),
    (Space, "code", "S001"),
]


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _page(kind: Any, by: str, cursor: str) -> tuple[list[Any], str | None]:
    return cut(kind.objects.all(), by=by, descending=True, cursor=cursor, limit=5)


@pytest.mark.parametrize(
    "text", ["x", "\x00", "2026-13-45", "2026-02-30T00:00:00Z", "2026-09-15T07:00:00", "\ud800"]
)
@pytest.mark.parametrize(("kind", "by"), [(AuditEntry, "at"), (Charge, "service_on")])
def test_a_value_that_the_order_never_has_is_refused(kind: Any, by: str, text: str) -> None:
    with pytest.raises(BadCursor):
        _page(kind, by, _cursor([text, 1]))


def test_the_time_of_another_list_is_refused_by_a_list_of_days() -> None:
    with pytest.raises(BadCursor):
        _page(Charge, "service_on", _cursor([AT, 1]))


@pytest.mark.parametrize(("kind", "by", "good"), LISTS)
def test_a_cursor_of_another_shape_is_refused(kind: Any, by: str, good: str) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 3000).decode()
    for cursor in (deep, "é", "=", *map(_cursor, ([good, True], [good], [1, 1], {}, ["\x00", 1]))):
        with pytest.raises(BadCursor):
            _page(kind, by, cursor)


@pytest.mark.parametrize(("kind", "by", "good"), LISTS)
def test_a_cursor_of_the_list_is_read_whatever_its_row(kind: Any, by: str, good: str) -> None:
    for pk in (1, -1, 10**30):
        assert _page(kind, by, _cursor([good, pk])) == ([], None)


def test_pages_follow_each_other_without_gap() -> None:
    codes = sorted(make.space().code for _ in range(5))
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        rows, cursor = cut(
            Space.objects.all(), by="code", descending=False, cursor=cursor, limit=2
        )
        seen += [row.code for row in rows]

    assert (seen, cursor) == (codes, None)
