"""Addresses in the environment: usable, or named as a fault before anything starts."""

from typing import Any

import pytest

from base_ops import env


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Any:
    for name, value in values.items():
        monkeypatch.setenv(f"BASE_OPS_{name}", value)
    return env.read()


def test_mail_and_addresses_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(
        monkeypatch,
        PUBLIC_URL="https://base.example.org/",
        SMTP_URL="smtp+starttls://u:p@mail.example.org:587",
        MAIL_FROM="Base <a@example.org>",
        WEBHOOK_PRIVATE="1",
    )

    assert found.public_url == "https://base.example.org"
    assert found.smtp_url.get_secret_value().endswith(":587")
    assert found.webhook_private


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "base.example.org"),
        ("PUBLIC_URL", "https://base.example.org/?a=b"),
        ("SMTP_URL", "mail.example.org:25"),
        ("SMTP_URL", "http://mail.example.org"),
        ("SMTP_URL", "smtp://:25"),
        ("SMTP_URL", "smtp://user:password@mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org:port"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "A <a@example.org>\nBcc: b@example.org"),
    ],
)
def test_what_cannot_work_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=f"BASE_OPS_{name}"):
        read(monkeypatch, **{name: value})
