"""Robots that behave as their operators document: they check, count, and answer 200 to everything.

WeCom: errcode 0 when taken, 93000 for a wrong key, 40008/44004 for a wrong or empty message, 40058
beyond 4096 bytes, 45009 beyond 20 a minute. DingTalk: 310000 when the sign does not fit or is
older than an hour, 300001 for a wrong token, 400 for bad messages, 130101 beyond 20 a minute.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.core.notifications.servers import Heard

Answer = tuple[int, dict[str, str], bytes]


def says(errcode: int, errmsg: str = "ok") -> Answer:
    return 200, {}, json.dumps({"errcode": errcode, "errmsg": errmsg}).encode()


@dataclass
class WeCom:
    """A group robot with one key."""

    key: str
    now: Callable[[], datetime]
    taken: list[Any] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    def __call__(self, heard: Heard) -> Answer:
        if parse_qs(urlsplit(heard.path).query).get("key") != [self.key]:
            return says(93000, "invalid webhook url")
        recent = [t for t in self.times if (self.now() - t).total_seconds() < 60]
        if len(recent) >= 20:
            return says(45009, "api freq out of limit")
        match heard.json:
            case {"msgtype": "markdown", "markdown": {"content": str(content)}}:
                most = 4096
            case {"msgtype": "text", "text": {"content": str(content)}}:
                most = 2048
            case _:
                return says(40008, "invalid message type")
        if not content:
            return says(44004, "empty content")
        if len(content.encode()) > most:
            return says(40058, "content exceed max length")
        self.times.append(self.now())
        self.taken.append(heard.json)
        return says(0)


@dataclass
class DingTalk:
    """A custom robot that demands a sign."""

    token: str
    secret: str
    now: Callable[[], datetime]
    taken: list[Any] = field(default_factory=list)

    def __call__(self, heard: Heard) -> Answer:
        query = parse_qs(urlsplit(heard.path).query)
        if query.get("access_token") != [self.token]:
            return says(300001, "token is not exist")
        if not self._signed(query.get("timestamp", ["0"])[0], query.get("sign", [""])[0]):
            return says(310000, "sign not match")
        match heard.json:
            case {"msgtype": "markdown", "markdown": {"title": str(title), "text": str(text)}}:
                empty = not (title and text)
            case {"msgtype": "text", "text": {"content": str(text)}}:
                empty = not text
            case _:
                return says(40035, "param error")
        if empty:
            return says(40035, "content is empty")
        self.taken.append(heard.json)
        return says(0)

    def _signed(self, timestamp: str, sign: str) -> bool:
        if abs(self.now().timestamp() * 1000 - int(timestamp)) > 3_600_000:
            return False
        content = f"{timestamp}\n{self.secret}".encode()
        digest = hmac.new(self.secret.encode(), content, hashlib.sha256).digest()
        return base64.b64encode(digest).decode() == sign
