"""What a browser is told: policies, caching, types; pages, files and data each their own."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from base_ops.web.static import with_frontend
from tests.web.calling import call

pytestmark = pytest.mark.django_db

STRICT = {"default-src": "'self'", "script-src": "'self'", "style-src": "'self'"}


def policy(text: str) -> dict[str, str]:
    """Directive to its sources."""
    parts = (part.strip().partition(" ") for part in text.split(";"))
    return {name: sources for name, _, sources in parts}


@pytest.fixture
def dist(settings: Settings, tmp_path: Path) -> Path:
    """A built web app."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>app</title>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-BaZ3x_k9.js").write_text("export {};" * 50)
    (tmp_path / "assets" / "index-BaZ3x_k9.js.gz").write_bytes(b"\x1f\x8b gzipped")
    settings.FRONTEND_DIST = tmp_path
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/bookings/BK1", "/login", "/floor/F2"])
def test_every_page_is_the_app_under_a_strict_policy(
    dist: Path, client: Client, path: str
) -> None:
    page = client.get(path, headers={"host": "localhost:8000"})

    sources = policy(page["Content-Security-Policy"])
    assert page.content == (dist / "index.html").read_bytes()
    assert page["Cache-Control"] == "no-cache"
    assert sources.items() >= STRICT.items()
    assert sources["connect-src"] == "'self' ws://localhost:8000 wss://localhost:8000"
    assert sources["img-src"] == "'self' data: blob:"
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert sources[name] == "'none'"
    assert sources["form-action"] == "'self'"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "same-origin"
    assert "camera=(self)" in page["Permissions-Policy"]


def test_without_a_build_a_page_says_in_two_languages_how_to_build(
    settings: Settings, tmp_path: Path, client: Client
) -> None:
    settings.FRONTEND_DIST = tmp_path / "missing"

    page = client.get("/")

    assert page.status_code == 503
    for words in ("网页尚未构建", "The web app is not built", "npm run build"):
        assert words in page.content.decode()


@pytest.mark.parametrize("path", ["/assets/gone-12345678.js", "/robots.txt", "/api/v1/none"])
def test_what_is_missing_is_a_problem_not_a_page(dist: Path, client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_data_may_load_nothing_and_is_not_kept(client: Client) -> None:
    answer = client.get("/api/v1/session")

    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["Cache-Control"] == "no-store"


def test_a_page_takes_no_posts(dist: Path, client: Client) -> None:
    assert client.post("/bookings").status_code == 405


async def test_hashed_files_are_kept_forever_and_come_compressed(dist: Path) -> None:
    answer = await call(
        with_frontend(_nothing), "/assets/index-BaZ3x_k9.js", [(b"accept-encoding", b"gzip")]
    )

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body == b"\x1f\x8b gzipped"
    assert "javascript" in answer.headers["content-type"]


async def test_other_files_are_asked_for_each_time(dist: Path) -> None:
    answer = await call(with_frontend(_nothing), "/favicon.svg")

    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


def _nothing(environ: object, start_response: object) -> list[bytes]:
    raise AssertionError("the file is not served")
