"""What goes to webhooks and robots, and what their answers mean.

WeCom (企业微信) group robot: POST {"msgtype": "markdown" | "text", …}; markdown up to 4096 bytes,
text up to 2048; HTTP 200 always, `errcode` 0 means taken; 20 messages a minute (45009 beyond).
DingTalk (钉钉) custom robot: {"msgtype": "markdown", "markdown": {"title", "text"}, "at"};
`errcode` likewise; 20 messages a minute (130101 beyond, then silence for ten minutes); 310000 is
a wrong signature, keyword or sender address.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from base_ops.core.notifications import outcomes
from base_ops.core.notifications.cleaning import fits, unmarked
from base_ops.core.notifications.outcomes import Outcome, Result
from base_ops.core.notifications.templates import Text

MARKDOWN_BYTES = 4000
TEXT_BYTES = 2000
LONGEST_WAIT = timedelta(hours=1)
GONE = 410
_BUSY = {429, 503}

# errcode → how long the robot's operator wants silence
_LIMITED = {
    45009: timedelta(minutes=1),
    130101: timedelta(minutes=10),
    660026: timedelta(minutes=10),
}
# errcode → our word: the address or its settings are wrong, the same message again is pointless
_REFUSED = {
    93000: "no_such_robot",
    93008: "not_in_group",
    300001: "no_such_robot",
    300005: "no_such_robot",
    310000: "robot_settings",
    400013: "group_dissolved",
    400101: "no_such_robot",
    400102: "robot_stopped",
    40008: "bad_message",
    40035: "bad_message",
    44004: "bad_message",
    40058: "bad_message",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered notice; `url` is absolute or ""."""

    kind: str
    told_at: datetime
    urgent: bool
    params: Mapping[str, Any]
    zh: Text
    en: Text
    url: str

    def words(self, language: str) -> Text:
        """The text in this language."""
        return self.en if language == "en" else self.zh


def webhook_body(message: Message) -> bytes:
    """type, timestamp and data as Standard Webhooks recommends; both languages."""
    body = {
        "type": message.kind,
        "timestamp": message.told_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            **message.params,
            "notice": {
                "urgent": message.urgent,
                "title_zh": message.zh.title,
                "title_en": message.en.title,
                "body_zh": message.zh.body,
                "body_en": message.en.body,
                "url": message.url,
            },
        },
    }
    return _json(body)


def wecom_body(message: Message, *, language: str, plain: bool) -> bytes:
    """For a WeCom group robot; mentions nobody."""
    if plain:
        return _json({"msgtype": "text", "text": {"content": _plain(message, language)}})
    content = _markdown(message, language)
    return _json({"msgtype": "markdown", "markdown": {"content": content}})


def dingtalk_body(message: Message, *, language: str, plain: bool) -> bytes:
    """For a DingTalk robot; mentions nobody."""
    nobody = {"atMobiles": [], "atUserIds": [], "isAtAll": False}
    if plain:
        text = {"content": _plain(message, language)}
        return _json({"msgtype": "text", "text": text, "at": nobody})
    shown = {
        "title": fits(unmarked(message.words(language).title), 180),
        "text": _markdown(message, language),
    }
    return _json({"msgtype": "markdown", "markdown": shown, "at": nobody})


def _markdown(message: Message, language: str) -> str:
    words = message.words(language)
    more = "Open" if language == "en" else "查看"
    link = f"\n\n[{more}]({message.url})" if message.url else ""
    text = f"### {unmarked(words.title)}\n\n{unmarked(words.body)}"
    return fits(text, MARKDOWN_BYTES - len(link.encode())) + link


def _plain(message: Message, language: str) -> str:
    words = message.words(language)
    link = f"\n{message.url}" if message.url else ""
    text = f"{unmarked(words.title)}\n{unmarked(words.body)}"
    return fits(text, TEXT_BYTES - len(link.encode())) + link


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def read_status(status: int, retry_after: str, *, now: datetime) -> Outcome:
    """What a webhook's answer means: any 2xx is taken, 410 is unsubscribed, the rest is later."""
    if 200 <= status < 300:
        return outcomes.SENT
    if status == GONE:
        return Outcome(Result.GONE, "http_410")
    code = f"http_{status}" if 100 <= status < 600 else "http_other"
    wait = _wait(retry_after, now) if status in _BUSY else None
    return outcomes.failed(code, wait=wait)


def _wait(retry_after: str, now: datetime) -> timedelta | None:
    """Retry-After as seconds or a date, at most an hour; None when it is neither."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 8:
        return min(timedelta(seconds=int(retry_after)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return min(max(at - now, timedelta(0)), LONGEST_WAIT)


def read_robot(status: int, retry_after: str, body: bytes, *, now: datetime) -> Outcome:
    """What a robot's answer means: its errcode counts, whatever the HTTP status says."""
    errcode = _errcode(body)
    if errcode is None:
        answer = read_status(status, retry_after, now=now)
        return outcomes.failed("no_errcode") if answer.result is Result.SENT else answer
    if errcode == 0 and 200 <= status < 300:
        return outcomes.SENT
    if errcode in _LIMITED:
        return Outcome(Result.LIMITED, "rate_limited", wait=_LIMITED[errcode])
    if errcode in _REFUSED:
        return outcomes.refused(_REFUSED[errcode], at_fault=True)
    return outcomes.failed("errcode_other")


def _errcode(body: bytes) -> int | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = answer.get("errcode") if isinstance(answer, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
