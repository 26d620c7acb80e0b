"""What was exported can be imported again."""

import pytest

from base_ops.core.models import Role
from tests import make
from tests.booking import world
from tests.booking.sheets import csv
from tests.booking.test_exports import body, export
from tests.booking.test_imports import dry, line, send

pytestmark = pytest.mark.usefixtures("prices")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_export_is_read_as_the_bookings_that_it_tells(kind: str, lang: str) -> None:
    member, space = make.user(Role.TENANT_MEMBER), world.studio()
    titles = ["-5 ℃ 冷链专场", "@主播小美", "+1 场"]
    rows = [line(space, 8 + 2 * n, title=title) for n, title in enumerate(titles)]
    assert send(member, csv(*rows), mode="atomic").status_code == 201
    exported = body(export(member, kind, lang=lang))

    answer = dry(member, exported, kind)

    assert [row["state"] for row in answer.json()["rows"]] == ["conflict"] * 3  # with themselves
    assert [row["title"] for row in answer.json()["rows"]] == titles
    assert all(c["booking"] for row in answer.json()["rows"] for c in row["conflicts"])
