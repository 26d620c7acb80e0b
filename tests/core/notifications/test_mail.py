"""E-mail: what it looks like, and a real server that takes, refuses, hangs or hangs up."""

import email
import email.policy
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from base_ops.core.notifications import mail, templates
from base_ops.core.notifications.outcomes import Outcome, Result
from base_ops.core.notifications.payloads import Message
from base_ops.core.notifications.templates import Text
from tests.core.notifications import servers
from tests.core.notifications.certificates import Authority

AT = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
SENDER = "番禺直播基地 <noreply@base.example.org>"


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "kind": "a.b",
        "told_at": AT,
        "urgent": False,
        "params": {},
        "zh": Text("预订已确认", "三号直播间"),
        "en": Text("Booking confirmed", "Studio 3"),
        "url": "https://base.example.org/bookings/BK1",
    }
    return Message(**fields | changes)


def composed(language: str = "zh", name: str = "李雷", **changes: Any) -> EmailMessage:
    return mail.compose(
        message(**changes),
        mail.Recipient("li@example.org", name, language),
        sender=SENDER,
        message_id="msg_1_abc",
        sent_at=AT,
    )


def read(raw: bytes) -> EmailMessage:
    """As a mail program parses it."""
    return email.message_from_bytes(raw, policy=email.policy.default)


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("language", "subject", "first", "second"),
    [
        ("zh", "预订已确认", "三号直播间", "Studio 3"),
        ("en", "Booking confirmed", "Studio 3", "三号直播间"),
    ],
)
def test_both_languages_the_readers_first(
    language: str, subject: str, first: str, second: str
) -> None:
    read_back = read(composed(language).as_bytes())

    assert read_back["Subject"] == subject
    for kind in ("plain", "html"):
        text = body(read_back, kind)
        assert text.index(first) < text.index(second)
        assert "https://base.example.org/bookings/BK1" in text


def test_headers_say_what_it_is() -> None:
    mail = read(composed().as_bytes())

    assert mail["Message-ID"] == "<msg_1_abc@base.example.org>"
    assert mail["List-Id"] == "<notices.base.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"].addresses[0].addr_spec == "noreply@base.example.org"
    assert mail["From"].addresses[0].display_name == "番禺直播基地"
    assert mail["To"].addresses[0].display_name == "李雷"


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@evil.test", "x\nSubject: other", '"; <all@evil.test>', "\u202etxet"]
)
def test_no_name_or_title_becomes_a_header_or_recipient(evil: str) -> None:
    mail = read(composed(name=evil, zh=Text(evil, evil), en=Text(evil, evil)).as_bytes())

    assert [a.addr_spec for a in mail["To"].addresses] == ["li@example.org"]
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject", [])) == 1


def test_markup_in_a_message_is_text_in_a_mail() -> None:
    evil = '<script>alert(1)</script><img src=x onerror=y>"'
    html = body(read(composed(zh=Text(evil, evil), url='https://x.test/"><b>').as_bytes()), "html")

    assert "<script" not in html
    assert "<img" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("address", ["用户@example.org", "no at sign", "a@b@c", "a b@c.d"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        mail.compose(
            message(),
            mail.Recipient(address, "x", "zh"),
            sender=SENDER,
            message_id="m",
            sent_at=AT,
        )


@pytest.fixture
def box() -> Iterator[servers.Mailbox]:
    with servers.mail_server() as box:
        yield box


def test_a_mail_arrives(box: servers.Mailbox) -> None:
    outcome = mail.send(mail.Relay.of(box.url), composed())

    assert outcome.result is Result.SENT
    (taken,) = box.mails
    assert taken.to == ["li@example.org"]
    assert taken.message["Subject"] == "预订已确认"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 no such user", Outcome(Result.REFUSED, "recipient_refused")),
        ("451 come again", Outcome(Result.RETRY, "recipient_deferred")),
    ],
)
def test_a_recipient_that_is_refused_is_not_the_servers_fault(
    box: servers.Mailbox, answer: str, outcome: Outcome
) -> None:
    box.refuse = lambda _: answer

    assert mail.send(mail.Relay.of(box.url), composed()) == outcome


def test_starttls_and_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    def check(
        server: object, session: object, envelope: object, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        good = data == LoginPassword(b"base", b"p:ss/word")
        return AuthResult(success=good, handled=False)

    options = {
        "tls_context": authority.server("127.0.0.1"),
        "require_starttls": True,
        "auth_required": True,
        "authenticator": check,
    }
    with servers.mail_server(**options) as box:
        place = f"{box.host}:{box.port}"
        good = mail.Relay.of(f"smtp+starttls://base:p%3Ass%2Fword@{place}")
        bad = mail.Relay.of(f"smtp+starttls://base:wrong@{place}")
        bare = mail.Relay.of(f"smtp://{place}")

        assert mail.send(good, composed(), tls=authority.client()).result is Result.SENT
        assert mail.send(bad, composed(), tls=authority.client()).code == "smtp_login"
        assert mail.send(good, composed()).code == "tls"  # an authority nobody knows
        assert mail.send(bare, composed()).result is not Result.SENT
        assert len(box.mails) == 1


@pytest.mark.parametrize(
    "talk", [servers.black_hole, servers.slow_loris, servers.closes, servers.endless]
)
def test_a_bad_mail_server_ends_the_attempt(talk: servers.Talk) -> None:
    with servers.raw(talk) as url:
        relay = mail.Relay.of(url.replace("http://", "smtp://").removesuffix("/hook"))
        outcome = mail.send(relay, composed(), total_s=0.5)

    assert outcome.result is Result.RETRY
    assert outcome.at_fault


def test_a_mail_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    outcome = mail.send(mail.Relay.of(f"smtp://127.0.0.1:{port}"), composed())

    assert (outcome.code, outcome.at_fault) == ("unreachable", True)


@pytest.mark.parametrize("key", sorted(templates.known()))
def test_each_template_fits_into_a_mail(key: str) -> None:
    from tests.core.notifications.test_pure import HOSTILE, values

    template = templates.known()[key]
    packed = templates.packed(template, values(template, HOSTILE))
    zh, en = (templates.rendered(template, packed, lang) for lang in ("zh", "en"))

    read_back = read(composed(zh=zh, en=en).as_bytes())

    assert [a.addr_spec for a in read_back["To"].addresses] == ["li@example.org"]
    assert read_back["Bcc"] is None
    assert "<script" not in body(read_back, "html")
