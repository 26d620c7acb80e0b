"""Each role lands on its screen, and every screen is clean: no errors, no barriers."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import App, Lang, Size, Theme, opened
from tests.flows.stack import Stack

SHANGHAI = ZoneInfo("Asia/Shanghai")
LANDING = {
    "tenant_admin": "/today",
    "tenant_member": "/today",
    "manager": "/floor",
    "technician": "/floor",
    "finance": "/runs",
    "liaison": "/floor",
    "admin": "/floor",
}
SCREENS = {
    "manager": ("/floor", "/floor?space=F2-S01", "/timeline", "/find", "/bookings?tab=pending"),
    "tenant_admin": ("/today", "/find?space=F2-S03", "/bookings", "/invoices"),
    "finance": ("/runs", "/invoices"),
}
LOOKS: list[tuple[Size, Lang, Theme]] = [
    ("desk", "zh", "light"),
    ("phone", "zh", "dark"),
    ("desk", "en", "dark"),
]


def _signed_in(app: App, stack: Stack, role: str) -> App:
    app.sign_in(*stack.logins()[role])
    return app


@pytest.mark.parametrize("role", LANDING)
def test_a_role_lands_where_its_work_is(stack: Stack, browser: Browser, role: str) -> None:
    with opened(browser, stack.url) as app:
        _signed_in(app, stack, role)

        assert app.page.url.removeprefix(stack.url) == LANDING[role]


@pytest.mark.parametrize("role", SCREENS)
@pytest.mark.parametrize(("size", "lang", "theme"), LOOKS)
def test_a_screen_has_no_errors_and_no_barriers(
    stack: Stack, browser: Browser, role: str, size: Size, lang: Lang, theme: Theme
) -> None:
    with opened(browser, stack.url, size=size, lang=lang, theme=theme) as app:
        _signed_in(app, stack, role)
        for path in SCREENS[role]:
            app.open(path)
            app.settled()
            app.shot(f"{role}{path.replace('/', '-').replace('?', '-')}-{size}-{lang}-{theme}")

            assert app.axe() == [], path
            assert app.overflow() == 0, path
        assert app.faults == []


def test_the_kit_shows_every_component_without_barriers(stack: Stack, browser: Browser) -> None:
    for theme in ("light", "dark"):
        with opened(browser, stack.url, theme=theme) as app:
            app.open("/dev/kit")
            app.page.locator("h1").wait_for()
            app.shot(f"kit-{theme}")

            assert app.axe() == []
            assert app.faults == []


def test_the_floor_knows_every_bookable_room(stack: Stack, browser: Browser) -> None:
    with opened(browser, stack.url) as app:
        _signed_in(app, stack, "manager").open("/floor")

        expect(app.page.locator("g.room")).to_have_count(36)
        expect(app.page.locator('g.room[data-status="unknown"]')).to_have_count(0)


def test_a_tenant_books_and_cancels_and_sees_what_it_costs(stack: Stack, browser: Browser) -> None:
    day = (stack.now() + timedelta(days=9)).astimezone(SHANGHAI).date().isoformat()
    with opened(browser, stack.url, size="phone") as app:
        _signed_in(app, stack, "tenant_admin")

        code = app.book(space="F2-S05", date=day, start="03:00", hours=2)
        app.open(f"/bookings/{code}")
        app.page.locator(".panel button.danger").click()
        expect(app.page.locator(".dialog .fee.free")).to_be_visible()
        app.page.locator(".dialog .danger").click()

        expect(app.page.locator('.panel .tag[data-status="cancelled"]')).to_be_visible()
        assert app.faults == []


def test_a_taken_slot_says_so_and_offers_others(stack: Stack, browser: Browser) -> None:
    start = (stack.now() + timedelta(days=10)).astimezone(SHANGHAI)
    start = start.replace(hour=3, minute=0, second=0, microsecond=0)
    with opened(browser, stack.url) as app:
        _signed_in(app, stack, "tenant_admin")
        app.open(f"/find?date={start.date()}&start=03:00&hours=2&space=F2-S06")
        app.page.locator(".panel .tree").wait_for()
        wish = {
            "space": "F2-S06",
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(hours=2)).isoformat(),
            "tenant": "T019",
            "confirm": True,
        }
        stack.sign_in("manager").does("/bookings", wish, status=201)

        app.page.locator(".panel footer .primary").click()

        expect(app.page.locator(".taken")).to_be_visible()
        assert app.page.locator(".taken .other").count() > 0


def test_a_device_with_a_wrong_clock_asks_for_nothing_that_has_passed(
    stack: Stack, browser: Browser
) -> None:
    with opened(browser, stack.url) as app:
        app.page.clock.install(time=stack.now() - timedelta(days=3))
        app.page.route_web_socket("**/ws/**", lambda socket: None)  # no heartbeat tells the time
        _signed_in(app, stack, "tenant_admin")
        app.open("/find?space=F2-S03")
        app.settled()

        today = stack.now().astimezone(SHANGHAI).date()
        chosen = app.page.locator("input[type=date]").input_value()
        assert chosen in {str(today), str(today + timedelta(days=1))}
        assert app.faults == []
