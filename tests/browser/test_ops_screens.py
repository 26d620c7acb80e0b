"""The control room's screens: the wall, alarms, the palette, the handover."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

from paho.mqtt import publish
from paho.mqtt.client import MQTTv5
from playwright.sync_api import Browser, expect

from tests.browser.app import opened
from tests.flows.stack import Stack

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOON_MS = 30_000
SMALL_TEXT = """() => [...document.querySelectorAll('.wall *')].filter((one) => {
  if (one.children.length || !one.textContent.trim()) return false
  if (one.closest('.sr') || one.tagName === 'title') return false
  let zoom = 1
  for (let at = one; at; at = at.parentElement) zoom *= parseFloat(getComputedStyle(at).zoom || 1)
  return parseFloat(getComputedStyle(one).fontSize) * zoom < 24
}).map((one) => one.textContent)"""


def test_the_wall_opens_by_its_link_shows_when_it_stops_and_goes_dark(
    stack: Stack, browser: Browser
) -> None:
    manager = stack.sign_in("manager")
    made = manager.does("/wall-displays", {"name": "东墙"}, status=201)
    with opened(browser, stack.url, size="wall", lang="zh", theme="dark") as app:
        app.open(f"/wall?floor=F2#{made['token']}")
        app.page.locator('g.room[data-space="F2-S01"]').wait_for(timeout=SOON_MS)
        assert made["token"] not in app.page.url
        assert app.page.evaluate(SMALL_TEXT) == []
        root = "document.documentElement"
        assert app.page.evaluate(f"{root}.scrollHeight <= innerHeight") is True
        assert app.overflow() == 0
        app.shot("wall-zh-dark")
        assert app.axe() == []
        assert app.faults == []
        app.page.keyboard.press("ArrowRight")
        app.page.wait_for_url("**/wall?floor=F1")

        app.page.route("**/api/v1/wall/now", lambda route: route.abort())
        expect(app.page.locator('.wall[data-stopped="true"]')).to_be_visible(timeout=SOON_MS)
        app.page.unroute("**/api/v1/wall/now")
        expect(app.page.locator('.wall[data-stopped="false"]')).to_be_visible(timeout=SOON_MS)
        manager.does(f"/wall-displays/{made['id']}/revoke")
        expect(app.page.locator(".dark")).to_be_visible(timeout=SOON_MS)
        expect(app.page.locator("g.room")).to_have_count(0)


def test_an_alarm_comes_by_itself_and_is_acknowledged_silenced_and_handed_over(
    stack: Stack, browser: Browser
) -> None:
    device = "F2-S08-AC01"
    with opened(browser, stack.url, size="phone", lang="en", theme="dark") as app:
        app.sign_in(*stack.logins()["technician"])
        app.open("/alarms")
        app.settled()
        _fault(stack, device)
        row = app.page.locator("li[data-alarm]", has_text=device)
        row.wait_for(timeout=SOON_MS)
        app.shot("alarms-phone-en-dark")
        assert app.axe() == []
        assert app.overflow() == 0
        row.locator(".what").click()
        app.page.locator(".panel .primary").click()
        expect(app.page.locator(".panel .primary")).to_have_count(0, timeout=SOON_MS)
        app.shot("alarm-phone-en-dark")
        assert app.axe() == []

        app.open(f"/quiet?device={device}")
        app.settled()
        form = app.page.locator('[data-form="silence"]')
        form.locator("input").last.fill("cable is being replaced")
        form.locator(".primary").click()
        silenced = app.page.locator("[data-silence]", has_text=device)
        silenced.wait_for(timeout=SOON_MS)
        app.shot("quiet-phone-en-dark")
        assert app.axe() == []
        silenced.locator(".btn").click()
        expect(silenced).to_have_count(0, timeout=SOON_MS)

        app.open("/handover")
        app.page.locator("li", has_text=device).wait_for(timeout=SOON_MS)
        app.shot("handover-phone-en-dark")
        assert app.axe() == []
        assert app.overflow() == 0
        assert app.faults == []


def test_the_palette_goes_anywhere_by_keyboard(stack: Stack, browser: Browser) -> None:
    with opened(browser, stack.url, lang="zh") as app:
        app.sign_in(*stack.logins()["manager"])
        app.settled()
        app.page.keyboard.press("Control+k")
        app.page.locator("[role=combobox]").fill("F2-S01-")
        app.page.locator("[role=option]", has_text="F2-S01-").first.wait_for(timeout=SOON_MS)
        app.shot("palette-desk-zh-light")
        assert app.axe() == []
        app.page.keyboard.press("Enter")
        app.page.wait_for_url("**/devices/F2-S01-*")
        app.page.keyboard.press("?")
        app.page.locator(".dialog kbd").first.wait_for()
        assert app.axe() == []
        app.page.keyboard.press("Escape")
        app.page.keyboard.press("g")
        app.page.keyboard.press("1")
        app.page.wait_for_url("**/floor")
        assert app.faults == []


def test_the_floor_goes_to_another_time_and_back(stack: Stack, browser: Browser) -> None:
    with opened(browser, stack.url, lang="en", theme="dark") as app:
        app.sign_in(*stack.logins()["manager"])
        yesterday = f"{stack.now().astimezone(SHANGHAI) - timedelta(days=1):%Y-%m-%d}"
        app.open(f"/floor?at={yesterday}T20:30")
        app.page.locator('g.room[data-status="live"]').first.wait_for(timeout=SOON_MS)
        app.shot("floor-replay-desk-en-dark")
        assert app.axe() == []
        app.page.locator(".scrub .range").press("ArrowRight")
        app.page.wait_for_url(f"**at={yesterday}T20:35")
        app.page.locator(".scrub .btn").last.click()
        app.page.wait_for_url("**/floor")
        expect(app.page.locator(".scrub")).to_have_count(0)
        assert app.faults == []


def _fault(stack: Stack, device: str) -> None:
    """What a device says when somebody tampers with it."""
    publish.single(
        f"wb1/d/{device}/event",
        json.dumps({"ts": int(stack.now().timestamp() * 1000), "name": "tamper", "data": {}}),
        qos=1,
        hostname="127.0.0.1",
        port=stack.mqtt_port(),
        protocol=MQTTv5,
    )
