"""A stranger on MQTT is let in by two people, at their screens."""

import json
import uuid

from paho.mqtt import publish
from paho.mqtt.client import MQTTv5
from playwright.sync_api import Browser, expect

from tests.browser.app import opened
from tests.flows.stack import Stack

SOON_MS = 30_000


def test_a_stranger_is_proposed_by_one_and_approved_by_another(
    stack: Stack, browser: Browser
) -> None:
    code = f"LIGHT-NEW-{uuid.uuid4().hex[:6]}"
    _introduce(stack, code)
    with (
        opened(browser, stack.url, size="desk", lang="zh") as technician,
        opened(browser, stack.url, size="phone", lang="en", theme="dark") as manager,
    ):
        technician.sign_in(*stack.logins()["technician"])
        technician.open("/devices?tab=quarantine")
        row = technician.page.locator(f'[data-device="{code}"]')
        row.wait_for(timeout=SOON_MS)
        row.click()
        form = technician.page.locator(".panel .form")
        form.locator("select").nth(0).select_option(index=0)  # lights come first
        form.locator("select").nth(1).select_option("F2-S01")
        technician.shot("devices-adopt-desk-zh-light")
        assert technician.axe() == []
        form.locator("button[type=submit]").click()
        expect(technician.page.locator(".panel .ok")).to_be_visible(timeout=SOON_MS)

        manager.sign_in(*stack.logins()["manager"])
        manager.open("/devices?tab=quarantine")
        waiting = manager.page.locator("section.card li", has_text=code)
        waiting.wait_for(timeout=SOON_MS)
        manager.shot("devices-approve-phone-en-dark")
        assert manager.axe() == []
        assert manager.overflow() == 0
        waiting.locator(".primary").click()
        expect(waiting).to_have_count(0, timeout=SOON_MS)

        entry = stack.sign_in("technician").get(f"/device-inventory/{code}")
        assert (entry["status"], entry["space"]) == ("active", "F2-S01")
        technician.open(f"/devices/{code}?tab=active")
        technician.settled()
        technician.shot("devices-active-desk-zh-light")
        assert technician.axe() == []
        assert technician.faults + manager.faults == []


def test_a_device_is_read_in_depth_and_tested(stack: Stack, browser: Browser) -> None:
    with opened(browser, stack.url, size="desk", lang="en", theme="dark") as app:
        app.sign_in(*stack.logins()["technician"])
        app.open("/devices/F2-S06-LT01?tab=active&view=telemetry")
        app.page.locator("figure svg .line").first.wait_for(timeout=SOON_MS)
        app.shot("device-chart-desk-en-dark")
        assert app.axe() == []
        for view in ("shadow", "commands"):
            app.page.locator(f'[data-view="{view}"]').click()
            app.page.wait_for_url(f"**view={view}*")
            app.settled()
            assert app.axe() == []
        app.page.locator('[data-view="tests"]').click()
        app.page.locator(".panel .acts .primary").click()
        run = app.page.locator("[data-test-run]").first
        expect(run.locator("li").first).to_be_visible(timeout=SOON_MS)
        app.shot("device-test-desk-en-dark")
        assert app.faults == []


def _introduce(stack: Stack, code: str) -> None:
    """What a device says of itself when it comes to the network for the first time."""
    said = {"kind": "light", "model": "LT-KEY-200", "firmware": "1.0.0", "serial": code}
    publish.single(
        f"wb1/d/{code}/$meta",
        json.dumps(said),
        qos=1,
        retain=True,
        hostname="127.0.0.1",
        port=stack.mqtt_port(),
        protocol=MQTTv5,
    )
