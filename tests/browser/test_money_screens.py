"""Finance's screens: money that came in, what is owed by age, policies and drafts of them."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.app import opened
from tests.flows.stack import Stack

SOON_MS = 30_000


def test_a_payment_is_recorded_and_shown_with_what_is_left(stack: Stack, browser: Browser) -> None:
    with opened(browser, stack.url, size="desk", lang="zh") as app:
        app.sign_in(*stack.logins()["finance"])
        app.open("/payments")
        app.settled()
        app.page.get_by_role("button", name="登记收款").click()
        dialog = app.page.get_by_role("dialog")
        dialog.get_by_label("金额").fill("12.345")
        dialog.get_by_role("button", name="登记", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("大于 0")
        dialog.get_by_label("金额").fill("1,280.50")
        dialog.get_by_label("银行流水号").fill("SCREEN-1")
        assert app.axe() == []
        dialog.get_by_role("button", name="登记", exact=True).click()

        expect(app.page).to_have_url(re.compile(r"/payments/\d+$"), timeout=SOON_MS)
        panel = app.page.locator("aside .panel")
        expect(panel).to_contain_text("¥1,280.50", timeout=SOON_MS)
        expect(panel).to_contain_text("SCREEN-1")
        app.settled()
        app.shot("payments-desk-zh-light")
        assert app.axe() == []
        app.open("/ageing")
        app.settled()
        app.shot("ageing-desk-zh-light")
        assert app.axe() == []
        assert app.faults == []


def test_a_policy_is_read_and_another_version_checked(stack: Stack, browser: Browser) -> None:
    with opened(browser, stack.url, size="phone", lang="en", theme="dark") as app:
        app.sign_in(*stack.logins()["finance"])
        app.open("/policies")
        app.settled()
        app.shot("policies-phone-en-dark")
        assert app.axe() == []
        app.page.locator("[data-policy=P02]").click()
        panel = app.page.locator("aside .panel")
        panel.locator("summary").click()
        panel.get_by_role("button", name="Check").click()
        expect(panel.get_by_role("status")).to_contain_text("version", timeout=SOON_MS)
        text = panel.locator("textarea")
        text.fill(text.input_value().replace('"order"', '"ordr"'))
        panel.get_by_role("button", name="Check").click()
        expect(panel.locator(".places .bad").first).to_contain_text("ordr", timeout=SOON_MS)
        app.shot("policy-phone-en-dark")
        assert app.axe() == []
        assert app.faults == []
