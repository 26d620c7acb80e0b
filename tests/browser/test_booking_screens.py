"""Changing, repeating and waiting, as a tenant does it on a phone and a desk; and the bell."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import App, Lang, Size, Theme, opened
from tests.flows.stack import Person, Stack

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOON_MS = 30_000
TYPE = "studio_single"
LOOKS: list[tuple[Size, Lang, Theme]] = [("phone", "zh", "light"), ("desk", "en", "dark")]


@pytest.fixture(params=LOOKS, ids=lambda look: "-".join(look))
def app(request: pytest.FixtureRequest, stack: Stack, browser: Browser) -> Iterator[App]:
    """A tenant's tab that must end without a console error or a barrier."""
    size, lang, theme = request.param
    with opened(browser, stack.url, size=size, lang=lang, theme=theme) as found:
        found.sign_in(*stack.logins()["tenant_admin"])
        found.look = "-".join(request.param)
        yield found
        assert found.faults == []


def test_a_booking_is_moved_after_its_price_and_fee_were_shown(app: App, stack: Stack) -> None:
    room, start = _free(stack, stack.sign_in("tenant_admin"), days=range(9, 25))
    local = start.astimezone(SHANGHAI)
    code = app.book(space=room, date=f"{local:%Y-%m-%d}", start=f"{local:%H:%M}", hours=1)
    app.open(f"/bookings/{code}")
    app.page.locator("[data-move]").click()
    dialog = app.page.locator(".dialog")
    dialog.locator("select").nth(1).select_option("2")

    expect(dialog.locator(".ok dd")).to_have_count(4, timeout=SOON_MS)
    app.shot(f"move-{app.look}")
    assert app.axe() == []
    dialog.locator(".primary").click()
    expect(dialog).to_have_count(0, timeout=SOON_MS)

    moved = stack.sign_in("tenant_admin").get(f"/bookings/{code}")
    ends_at = datetime.fromisoformat(moved["ends_at"])
    assert ends_at - datetime.fromisoformat(moved["starts_at"]) == timedelta(hours=2)


def test_a_series_shows_every_date_before_it_is_booked(app: App, stack: Stack) -> None:
    room, start = _free(stack, stack.sign_in("tenant_admin"), days=range(26, 40))
    local = start.astimezone(SHANGHAI)
    app.open(f"/find?date={local:%Y-%m-%d}&start={local:%H:%M}&hours=1&space={room}")
    app.page.locator("[data-repeat]").select_option("weekly")
    dates = app.page.locator(".dates li")
    expect(dates).to_have_count(8, timeout=SOON_MS)
    app.shot(f"series-{app.look}")
    assert app.axe() == []

    app.page.locator(".panel footer .primary").click()
    app.page.locator(".done a").click()
    app.page.wait_for_url("**/series/*")
    app.settled()
    app.shot(f"series-page-{app.look}")
    assert app.axe() == []
    assert app.overflow() == 0


def test_who_finds_a_room_taken_can_wait_for_it(app: App, stack: Stack) -> None:
    room, start = _taken(stack, stack.sign_in("tenant_admin"))
    local = start.astimezone(SHANGHAI)
    app.open(f"/find?date={local:%Y-%m-%d}&start={local:%H:%M}&hours=1&space={room}")
    button = app.page.locator(".wait button").first
    button.click()

    expect(app.page.locator(".wait [role=status]")).to_be_visible(timeout=SOON_MS)
    app.shot(f"wait-{app.look}")
    assert app.axe() == []


def test_the_bell_tells_what_happened_and_forgets_what_was_read(app: App, stack: Stack) -> None:
    bell = app.page.locator(".bell:visible")
    bell.click()
    box = app.page.locator(".notices")
    expect(box.locator('[aria-busy="true"]')).to_have_count(0, timeout=SOON_MS)
    app.shot(f"bell-{app.look}")
    assert app.axe() == []
    if (everything := box.locator("header .btn")).count():
        everything.click()
        expect(app.page.locator(".count:visible")).to_have_count(0, timeout=SOON_MS)


def _free(stack: Stack, tenant: Person, *, days: range) -> tuple[str, datetime]:
    """A small studio that is free for two hours at noon of one of these days from now."""
    for day in days:
        noon = (stack.now() + timedelta(days=day)).astimezone(SHANGHAI)
        start = noon.replace(hour=12, minute=0, second=0, microsecond=0)
        window = {"from": start.isoformat(), "to": (start + timedelta(hours=2)).isoformat()}
        items = tenant.get("/availability", **window, type=TYPE)["items"]
        if free := [item["space"] for item in items if item["free"]]:
            return free[0], start.astimezone(UTC)
    raise LookupError("no studio is free")


def _taken(stack: Stack, tenant: Person) -> tuple[str, datetime]:
    """A studio that somebody has booked, on the half hour, at least an hour ahead."""
    for half_hours in range(3, 96):
        stamp = (stack.now().timestamp() // 1800 + half_hours) * 1800
        start = datetime.fromtimestamp(stamp, UTC)
        window = {"from": start.isoformat(), "to": (start + timedelta(hours=1)).isoformat()}
        items = tenant.get("/availability", **window, type=TYPE)["items"]
        if taken := [item["space"] for item in items if not item["free"]]:
            return taken[0], start
    raise LookupError("every studio is free")


@pytest.mark.parametrize(
    ("role", "look"),
    [("liaison", ("desk", "zh", "light")), ("manager", ("phone", "en", "dark"))],
)
def test_the_report_says_what_each_figure_means(
    stack: Stack, browser: Browser, role: str, look: tuple[Size, Lang, Theme]
) -> None:
    size, lang, theme = look
    with opened(browser, stack.url, size=size, lang=lang, theme=theme) as app:
        app.sign_in(*stack.logins()[role])
        app.open("/report")
        app.settled()

        expect(app.page.locator(".figure dl")).to_have_count(
            app.page.locator(".figure").count(), timeout=SOON_MS
        )
        app.shot(f"report-{'-'.join(look)}")
        assert app.page.locator(".figure").count() >= 8
        assert app.axe() == []
        assert app.overflow() == 0
        assert app.faults == []
