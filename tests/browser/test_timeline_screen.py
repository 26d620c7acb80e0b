"""The timeline: by hand and by keys a booking moves to the same effect; a room is closed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, expect

from tests.browser.app import App, opened
from tests.flows.stack import Person, Stack

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOON_MS = 30_000
ROOMS = ("F2-S02", "F2-S03", "F2-S04", "F2-S05", "F2-S06")


def test_a_booking_is_moved_by_hand_and_by_keys_with_its_price_shown(
    stack: Stack, browser: Browser
) -> None:
    tenant = stack.sign_in("tenant_admin")
    space, start = _quiet_afternoon(stack, tenant)
    wish = {
        "space": space,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=1)).isoformat(),
        "confirm": True,
    }
    code = tenant.does("/bookings", wish, status=201)["code"]
    with opened(browser, stack.url, size="desk", lang="zh") as app:
        app.sign_in(*stack.logins()["tenant_admin"])
        app.open(f"/timeline?date={start:%Y-%m-%d}&floor=F2")
        app.settled()
        _drag_by_an_hour(app, space, code)
        tip = app.page.locator(".tip")
        expect(tip).to_contain_text("¥", timeout=SOON_MS)
        app.shot("timeline-drag-desk-zh-light")
        app.page.mouse.up()
        _confirm(app)
        assert _start(tenant, code) == start + timedelta(hours=1)

        grid = app.page.locator(".frame[role=application]")
        grid.focus()
        _cursor_to(app, space, slot=2 * 14)
        app.page.keyboard.press("m")
        app.page.keyboard.press("ArrowLeft")
        app.page.keyboard.press("ArrowLeft")
        expect(tip).to_contain_text("¥", timeout=SOON_MS)
        assert app.axe() == []
        app.page.keyboard.press("Enter")
        _confirm(app)
        assert _start(tenant, code) == start

        assert app.faults == []
    tenant.does(f"/bookings/{code}/cancel", {"reason": "moved enough"})


def test_a_room_is_closed_and_opened_where_it_is_seen(stack: Stack, browser: Browser) -> None:
    space, start = _quiet_afternoon(stack, stack.sign_in("manager"))
    with opened(browser, stack.url, size="desk", lang="en", theme="dark") as app:
        app.sign_in(*stack.logins()["manager"])
        app.open(f"/timeline?date={start:%Y-%m-%d}&floor=F2")
        app.settled()
        app.page.locator(".frame[role=application]").focus()
        _cursor_to(app, space, slot=2 * 20)
        app.page.keyboard.press("b")
        app.page.locator(".dialog [name=reason]").fill("地板打蜡")
        app.shot("timeline-blackout-desk-en-dark")
        assert app.axe() == []
        app.page.locator(".dialog .primary").click()
        closed = app.page.locator(f'.lane[data-space="{space}"] .bar[data-kind="blackout"]')
        closed.click(timeout=SOON_MS)
        app.page.locator(".dialog [name=reason]").fill("已完成")
        app.page.locator(".dialog .primary").click()
        expect(closed).to_have_count(0, timeout=SOON_MS)
        assert app.faults == []


def _quiet_afternoon(stack: Stack, caller: Person) -> tuple[str, datetime]:
    """A small studio that is free from 12:00 to midnight of some day, and its 13:00."""
    for ahead in range(5, 40):
        day = (stack.now() + timedelta(days=ahead)).astimezone(SHANGHAI)
        noon = day.replace(hour=12, minute=0, second=0, microsecond=0)
        window = {"from": noon.isoformat(), "to": (noon + timedelta(hours=12)).isoformat()}
        items = caller.get("/availability", **window, type="studio_single")["items"]
        free = {item["space"] for item in items if item["free"]}
        if found := [room for room in ROOMS if room in free]:
            return found[0], noon + timedelta(hours=1)
    raise LookupError("no studio is free for an afternoon")


def _drag_by_an_hour(app: App, space: str, code: str) -> None:
    bar = app.page.locator(f'.lane[data-space="{space}"] .bar[aria-label*="{code}"]')
    bar.scroll_into_view_if_needed(timeout=SOON_MS)
    box = bar.bounding_box()
    track = app.page.locator(f'.lane[data-space="{space}"] .track').bounding_box()
    assert box is not None
    assert track is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    app.page.mouse.move(x, y)
    app.page.mouse.down()
    app.page.mouse.move(x + track["width"] / 24, y, steps=6)


def _cursor_to(app: App, space: str, *, slot: int) -> None:
    """The cell at which the cursor stands is reached from the top left corner."""
    rows = app.page.locator(".lane").evaluate_all("all => all.map((one) => one.dataset.space)")
    for _ in range(8):
        app.page.keyboard.press("PageUp")
    app.page.keyboard.press("Home")
    for _ in range(rows.index(space)):
        app.page.keyboard.press("ArrowDown")
    for _ in range(slot):
        app.page.keyboard.press("ArrowRight")


def _confirm(app: App) -> None:
    dialog = app.page.locator(".dialog")
    expect(dialog.locator(".primary")).to_be_enabled(timeout=SOON_MS)
    dialog.locator(".primary").click()
    expect(dialog).to_have_count(0, timeout=SOON_MS)


def _start(caller: Person, code: str) -> datetime:
    return datetime.fromisoformat(caller.get(f"/bookings/{code}")["starts_at"])
