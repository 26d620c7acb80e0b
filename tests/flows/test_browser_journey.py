"""The main job in a real browser: two people, two screens, from finding a room to its invoice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Locator, expect

from tests.browser.app import App, opened
from tests.flows.stack import Person, Stack
from tests.waiting import eventually

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOON_MS = 60_000
SHOTS = "journey"
FREE_ROOM = "F1-EXH"  # the demo world books only studios by itself


def test_the_main_job_in_a_browser(stack: Stack, browser: Browser) -> None:
    stack.wait_ready()
    room, start = _free_slot(stack, stack.sign_in("tenant_admin"))
    logins = stack.logins()
    with (
        opened(browser, stack.url, size="phone") as tenant,
        opened(browser, stack.url, size="desk", lang="en", theme="dark") as manager,
        opened(browser, stack.url, size="desk") as finance,
    ):
        tenant.sign_in(*logins["tenant_admin"])
        manager.sign_in(*logins["manager"])
        finance.sign_in(*logins["finance"])
        tenant.shot(f"{SHOTS}/1-today")
        code = _book(tenant, room, start)
        _watch_it_prepare(stack, manager, room, start)
        _go_live(stack, tenant, manager, room, start, code)
        _switch_a_scene(manager, room)
        _end(stack, tenant, manager, room, start, code)
        _invoice(finance, start)
        assert tenant.faults + manager.faults + finance.faults == []


def _free_slot(stack: Stack, tenant: Person) -> tuple[str, datetime]:
    """A small studio that is free for two hours, on the half hour, at least an hour ahead."""
    for half_hours in range(3, 20):
        stamp = (stack.now().timestamp() // 1800 + half_hours) * 1800
        start = datetime.fromtimestamp(stamp, UTC)
        window = {"from": start.isoformat(), "to": (start + timedelta(hours=2)).isoformat()}
        items = tenant.get("/availability", **window, type="studio_single")["items"]
        if free := [item["space"] for item in items if item["free"]]:
            return free[0], start
    raise LookupError("no studio is free")


def _book(tenant: App, room: str, start: datetime) -> str:
    """Time first, room second; the price with its reasons is on the screen before confirming."""
    local = start.astimezone(SHANGHAI)
    tenant.open(f"/find?date={local:%Y-%m-%d}&start={local:%H:%M}&hours=2")
    card = tenant.page.locator(f'button.room[data-space="{room}"]')
    card.wait_for()
    tenant.shot(f"{SHOTS}/2-find")
    card.click()
    confirm = tenant.page.locator(".panel footer .primary")
    expect(confirm).to_be_enabled(timeout=SOON_MS)
    tenant.shot(f"{SHOTS}/3-quote")
    confirm.click()
    link = tenant.page.locator(".done a")
    link.wait_for()
    tenant.shot(f"{SHOTS}/4-booked")
    return str(link.get_attribute("href")).rsplit("/", 1)[-1]


def _watch_it_prepare(stack: Stack, manager: App, room: str, start: datetime) -> None:
    manager.open("/floor")
    manager.room(room).wait_for()
    stack.move_clock(start - timedelta(minutes=14, seconds=50))
    manager.expect_status(room, "setup", timeout_s=SOON_MS / 1000)
    person = stack.sign_in("manager")
    eventually(
        lambda: person.get("/occupancy")["spaces"][room]["ready"] == "green",
        timeout_s=SOON_MS / 1000,
    )
    manager.shot(f"{SHOTS}/5-floor-setup")


def _go_live(
    stack: Stack, tenant: App, manager: App, room: str, start: datetime, code: str
) -> None:
    """The tenant checks in on the phone; the manager's plan shows it without a reload."""
    stack.move_clock(start + timedelta(seconds=5))
    tenant.open(f"/bookings/{code}")
    door = tenant.page.locator(".acts .primary")
    expect(door).to_be_enabled(timeout=SOON_MS)
    tenant.shot(f"{SHOTS}/6-check-in")
    door.click()
    manager.expect_status(room, "live", timeout_s=SOON_MS / 1000)
    manager.shot(f"{SHOTS}/7-floor-live")


def _switch_a_scene(manager: App, room: str) -> None:
    """On air a scene that would change the show is refused; a free room confirms it."""
    drawer = manager.open_room(room)
    _prepare_button(drawer).click()
    expect(drawer.get_by_role("alert")).to_be_visible(timeout=SOON_MS)
    manager.shot(f"{SHOTS}/8-drawer-on-air")
    manager.faults[:] = [fault for fault in manager.faults if "409" not in fault]
    drawer = manager.open_room(FREE_ROOM)
    scene = _prepare_button(drawer)
    scene.click()
    expect(scene).to_have_attribute("data-look", "confirmed", timeout=SOON_MS)
    manager.shot(f"{SHOTS}/9-drawer-free")
    assert manager.axe() == []


def _prepare_button(drawer: Locator) -> Locator:
    return drawer.locator(".scenes > *").nth(1)


def _end(stack: Stack, tenant: App, manager: App, room: str, start: datetime, code: str) -> None:
    stack.move_clock(start + timedelta(hours=2, seconds=5))
    person = stack.sign_in("tenant_admin")
    eventually(
        lambda: person.get(f"/bookings/{code}")["status"] == "completed",
        timeout_s=SOON_MS / 1000,
    )
    expect(manager.room(room)).not_to_have_attribute("data-status", "live", timeout=SOON_MS)
    tenant.open(f"/bookings/{code}")
    tenant.page.locator(".panel h3").first.wait_for()
    tenant.shot(f"{SHOTS}/10-completed")


def _invoice(finance: App, start: datetime) -> None:
    finance.preview_run(f"{start.astimezone(SHANGHAI):%Y-%m}")
    finance.page.locator(".sums").wait_for()
    finance.shot(f"{SHOTS}/11-preview")
    finance.approve_and_issue()
    finance.shot(f"{SHOTS}/12-issued")
    finance.open("/invoices")
    finance.page.locator("main a, main tr").first.wait_for()
    finance.shot(f"{SHOTS}/13-invoices")
