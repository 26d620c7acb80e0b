"""One e-mail: what it looks like, and handing it to the mail server."""

import contextlib
import html
import smtplib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from base_ops.core.notifications import outcomes
from base_ops.core.notifications.cleaning import clean
from base_ops.core.notifications.outcomes import Outcome
from base_ops.core.notifications.payloads import Message

CONNECT_S = 5.0
TOTAL_S = 20.0
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_LINK = {"zh": "在系统中查看", "en": "Open in the app"}
_WHY = {
    "zh": "你收到此邮件是因为你在直播基地系统中有账号;可在通知设置中更改。",
    "en": "You get this because you have an account at the livestream base; "
    "change it in your notification settings.",
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets it; `language` comes first in the message, the other follows."""

    email: str
    name: str
    language: str


def compose(
    message: Message, recipient: Recipient, *, sender: str, message_id: str, sent_at: datetime
) -> EmailMessage:
    """Plain text and HTML in both languages; no header can be injected.

    Raises:
        ValueError: the recipient's address is none, or not in ASCII.
    """
    if not recipient.email.isascii():
        raise ValueError("not an address that every mail server takes")
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    order = ("en", "zh") if recipient.language == "en" else ("zh", "en")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(clean(name), addr_spec=address)
    try:
        mail["To"] = Address(clean(recipient.name, most=80), addr_spec=recipient.email)
    except (MessageError, ValueError, IndexError) as exc:  # its parser knows all three
        raise ValueError("not an e-mail address") from exc
    mail["Subject"] = clean(message.words(order[0]).title)
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<{message_id}@{domain}>"
    mail["List-Id"] = f"<notices.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = ", ".join(order)
    if message.urgent:
        mail["Importance"] = "high"
    mail.set_content("\n\n".join(_plain(message, lang) for lang in order) + "\n")
    parts = "<hr>".join(_html(message, lang) for lang in order)
    mail.add_alternative(
        f'<!doctype html><html lang="{order[0]}"><body>{parts}</body></html>', subtype="html"
    )
    return mail


def _plain(message: Message, language: str) -> str:
    words = message.words(language)
    lines = [words.title, "", words.body]
    if message.url:
        lines += ["", f"{_LINK[language]}: {message.url}"]
    return "\n".join([*lines, "", f"-- {_WHY[language]}"])


def _html(message: Message, language: str) -> str:
    words = message.words(language)
    link = ""
    if message.url:
        link = f'<p><a href="{html.escape(message.url)}">{_LINK[language]}</a></p>'
    return (
        f'<section lang="{language}"><h2>{html.escape(words.title)}</h2>'
        f"<p>{html.escape(words.body)}</p>{link}<p><small>{_WHY[language]}</small></p></section>"
    )


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server of the settings."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> "Relay":
        """Read smtp://, smtps:// or smtp+starttls://user:password@host:port."""
        parts = urlsplit(url)
        return cls(
            parts.scheme,
            parts.hostname or "",
            parts.port or PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )


def send(
    relay: Relay,
    mail: EmailMessage,
    *,
    tls: ssl.SSLContext | None = None,
    total_s: float = TOTAL_S,
) -> Outcome:
    """Hand a message over, within `total_s` whatever the server does."""
    try:
        with _connected(relay, tls or ssl.create_default_context(), total_s) as server:
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as exc:
        return _meaning(exc)
    return outcomes.SENT


_FAILED: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "smtp_login"),
    (smtplib.SMTPNotSupportedError, "smtp_features"),
    (smtplib.SMTPConnectError, "unreachable"),
    (smtplib.SMTPHeloError, "unreachable"),
    (smtplib.SMTPSenderRefused, "sender_refused"),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
)


def _meaning(exc: Exception) -> Outcome:
    for kind, code in _FAILED:
        if isinstance(exc, kind):
            return outcomes.failed(code)
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return _judged(next(iter(exc.recipients.values()))[0], "recipient")
    if isinstance(exc, smtplib.SMTPResponseException):
        return _judged(exc.smtp_code, "message")
    return outcomes.failed("unreachable")


def _judged(code: int, what: str) -> Outcome:
    """5xx is for good, 4xx for now; neither is the server's own fault."""
    if 500 <= code < 600:
        return outcomes.refused(f"{what}_refused")
    return Outcome(outcomes.Result.RETRY, f"{what}_deferred")


@contextlib.contextmanager
def _connected(relay: Relay, tls: ssl.SSLContext, total_s: float) -> Iterator[smtplib.SMTP]:
    """A session; a timer hangs up when the whole takes too long, however busy the server seems."""
    if relay.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(timeout=CONNECT_S, context=tls)
    else:
        server = smtplib.SMTP(timeout=CONNECT_S)
    hang_up = threading.Timer(total_s, _hang_up, [server])
    hang_up.daemon = True
    hang_up.start()
    try:
        server._host = relay.host  # type: ignore[attr-defined]  # noqa: SLF001 - TLS needs the name
        server.connect(relay.host, relay.port)
        if relay.scheme == "smtp+starttls":
            server.starttls(context=tls)
        if relay.user:
            server.login(relay.user, relay.password)
        yield server
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()  # the message is taken; how the goodbye goes is no matter
    finally:
        hang_up.cancel()
        server.close()


def _hang_up(server: smtplib.SMTP) -> None:
    sock = server.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(2)
