"""The web app as a person uses it: sign in, look, book, run; and what went wrong meanwhile."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect

from tests.browser import chromium

ROOT = Path(__file__).parents[2]
ARTEFACTS = Path(os.environ.get("BASE_OPS_ARTEFACTS", ROOT / "artefacts"))
SIZES = {"desk": (1440, 900), "wall": (1920, 1080), "phone": (390, 844)}

Size = Literal["desk", "wall", "phone"]
Lang = Literal["zh", "en"]
Theme = Literal["light", "dark"]


@dataclass
class App:
    """One browser tab of one person."""

    page: Page
    base: str
    look: str = ""
    faults: list[str] = field(default_factory=list)

    def sign_in(self, email: str, password: str) -> None:
        """Sign in and wait for the screen where this role lands."""
        self.page.goto(f"{self.base}/login")
        self.page.locator("input[name=email]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("button[type=submit]").click()
        self.page.wait_for_url(lambda url: not url.endswith("/login"))

    def open(self, path: str) -> None:
        """Go somewhere by its URL; again when the page was itself about to go elsewhere."""
        try:
            self.page.goto(f"{self.base}{path}")
        except Error as exc:
            if "ERR_ABORTED" not in exc.message:
                raise
            self.page.goto(f"{self.base}{path}")

    def room(self, code: str) -> Locator:
        """A room on the floor plan; its `data-status` is what it shows."""
        return self.page.locator(f'g.room[data-space="{code}"]')

    def expect_status(self, code: str, status: str, *, timeout_s: float = 10) -> None:
        """The room shows this status, now or soon, without reloading."""
        expect(self.room(code)).to_have_attribute("data-status", status, timeout=timeout_s * 1000)

    def open_room(self, code: str) -> Locator:
        """Open the drawer of a room on the floor."""
        self.room(code).click()
        drawer = self.page.locator(".drawer")
        drawer.wait_for()
        return drawer

    def book(self, *, space: str, date: str, start: str, hours: float, tenant: str = "") -> str:
        """Book through the screens and give the booking's code; staff name the tenant."""
        whose = f"&tenant={tenant}" if tenant else ""
        self.open(f"/find?date={date}&start={start}&hours={hours}{whose}")
        self.page.locator(f'button.room[data-space="{space}"]').click()
        self.page.locator(".panel footer .primary").click()
        link = self.page.locator(".done a")
        link.wait_for()
        return str(link.get_attribute("href")).rsplit("/", 1)[-1]

    def preview_run(self, month: str) -> None:
        """Preview an invoice run of a month ("2026-10") and open it."""
        self.open("/runs")
        self.page.locator('.start input[type="month"]').fill(month)
        self.page.locator(".start button[type=submit]").click()
        self.page.wait_for_url("**/runs/*")

    def approve_and_issue(self) -> None:
        """Approve the open run, issue it, and wait until its last step is done."""
        self.page.locator(".wizard header .primary").click()
        self.page.locator(".wizard header .primary", has_text="").wait_for()
        self.page.locator(".wizard header .primary").click()
        self.page.locator(".dialog .primary").click()
        self.page.locator(".steps li.done").nth(3).wait_for()

    def settled(self) -> None:
        """Wait until the screen shows its first answer instead of placeholders."""
        self.page.locator("h1, h2").first.wait_for()
        expect(self.page.locator('[aria-busy="true"]')).to_have_count(0, timeout=20_000)

    def overflow(self) -> int:
        """How many pixels the page is wider than its window; nobody should scroll sideways."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))

    def shot(self, name: str) -> Path:
        """Keep a screenshot under artefacts/ (not in git) and give its path."""
        path = ARTEFACTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path

    def axe(self) -> list[str]:
        """Violations of WCAG 2.2 A and AA on this screen, one line each."""
        self.page.evaluate(chromium.axe_source())
        rules = json.dumps(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
        found: dict[str, Any] = self.page.evaluate(f"axe.run({{runOnly: {rules}}})")
        return [
            f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]


@contextmanager
def opened(
    browser: Browser,
    base: str,
    *,
    size: Size = "desk",
    lang: Lang = "zh",
    theme: Theme = "light",
) -> Iterator[App]:
    """A fresh tab; console errors, page errors and policy violations gather in `faults`."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN" if lang == "zh" else "en-GB",
        timezone_id="America/New_York",  # Shanghai's time must not come from the browser
        color_scheme=theme,
        has_touch=size == "phone",
        is_mobile=size == "phone",
    )
    app = App(context.new_page(), base.rstrip("/"))
    app.page.on("pageerror", lambda error: app.faults.append(f"page: {error}"))
    app.page.on("console", lambda message: _note(app, message))
    try:
        yield app
    finally:
        context.close()


def _note(app: App, message: ConsoleMessage) -> None:
    if message.type == "error":
        app.faults.append(f"console: {message.text} ({message.location['url']})")
