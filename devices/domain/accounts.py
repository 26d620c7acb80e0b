"""Who may connect to the broker, and mosquitto's own files that say so. Pure: bytes in no file.

A device signs in under its own code and writes below it alone. A bridge of other gear, such as
Zigbee2MQTT, is an account of its own with the topic filters it needs; the base's own processes
hear and say everything. Only hashes are kept: PBKDF2 with SHA-512, as mosquitto reads them.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from base_ops.core.errors import FieldFault, Invalid

ITERATIONS = 1000
SALT_BYTES = 12
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
MOST_TOPICS = 20
MOST_TOPIC_BYTES = 200
_SAID = ("$status", "$meta", "state", "tele", "event", "ack")


class Kind(StrEnum):
    """What an account is for."""

    DEVICE = "device"
    FOREIGN = "foreign"
    BASE = "base"


class BadTopics(Invalid):
    """Filters that are no filters, or reach into what belongs to our own devices."""

    code, title_zh, title_en = "bad_topics", "主题无效", "These topics cannot be given"


@dataclass(frozen=True, slots=True)
class Entry:
    """One account as the files need it."""

    name: str
    kind: Kind
    password_hash: str
    writes: Sequence[str] = ()
    reads: Sequence[str] = ()


def hashed(password: str, salt: bytes) -> str:
    """The hash as mosquitto's password file has it: `$7$iterations$salt$hash`."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    parts = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return f"$7${ITERATIONS}${'$'.join(parts)}"


def matches(password: str, password_hash: str) -> bool:
    """Whether this is the password behind the hash."""
    match password_hash.split("$"):
        case ["", "7", _, salt, _]:
            return hmac.compare_digest(hashed(password, base64.b64decode(salt)), password_hash)
        case _:
            return False


def check_topics(field: str, topics: Sequence[str]) -> list[str]:
    """The filters, in order and once each.

    Raises:
        BadTopics: naming the field, the filter and why.
    """
    if len(topics) > MOST_TOPICS:
        raise _bad(field, f"最多 {MOST_TOPICS} 个", f"at most {MOST_TOPICS}")
    for topic in topics:
        if reason := _fault(topic):
            raise _bad(field, f"{topic[:40]!r}:{reason[0]}", f"{topic[:40]!r} {reason[1]}")
    return sorted(set(topics))


def _fault(topic: str) -> tuple[str, str] | None:
    if not topic or len(topic.encode()) > MOST_TOPIC_BYTES or not topic.isprintable():
        return "须为可打印的短文本", "must be a short printable text"
    if topic != topic.strip() or topic.startswith("$"):
        return "不得以空格或 $ 起止", "must not begin with $ or a space, nor end with one"
    levels = topic.split("/")
    if any(("#" in level or "+" in level) and len(level) > 1 for level in levels):
        return "通配符须独占一级", "has a wildcard beside other characters"
    if "#" in levels[:-1]:
        return "# 只能在末级", "has a # that is not last"
    if levels[0] in ("wb1", "+", "#"):
        return "包含本基地设备的主题", "reaches into the topics of the base's own devices"
    return None


def _bad(field: str, zh: str, en: str) -> BadTopics:
    return BadTopics(en, fields=[FieldFault(field, zh, en)])


def password_file(entries: Iterable[Entry]) -> str:
    """One line per account, by name."""
    rows = sorted(entries, key=lambda entry: entry.name)
    return "".join(f"{row.name}:{row.password_hash}\n" for row in rows)


def access_file(entries: Iterable[Entry]) -> str:
    """Who may write and read what; all that is not said is refused."""
    rows = sorted(entries, key=lambda entry: entry.name)
    lines = ["# Written by manage.py broker_config; changes here are lost."]
    for row in rows:
        lines += ["", f"user {row.name}", *_rights(row)]
    return "\n".join(lines) + "\n"


def _rights(row: Entry) -> list[str]:
    match row.kind:
        case Kind.BASE:
            return ["topic readwrite #"]
        case Kind.DEVICE:
            own = f"wb1/d/{row.name}"
            said = [f"topic write {own}/{leaf}" for leaf in _SAID]
            return [*said, f"topic read {own}/cmd"]
        case Kind.FOREIGN:
            writes = [f"topic write {topic}" for topic in row.writes]
            return writes + [f"topic read {topic}" for topic in row.reads]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the broker listens; `tls_port` 0 for no TLS, `port` 0 for nothing in clear."""

    folder: str
    data: str
    bind: str = "127.0.0.1"
    port: int = 1883
    tls_port: int = 0
    user: str = ""


def broker_file(at: Listening) -> str:
    """mosquitto.conf: everybody has a name; nothing waits or grows without a bound."""
    lines = [
        "# Written by manage.py broker_config; changes here are lost.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"password_file {at.folder}/passwords",
        f"acl_file {at.folder}/acl",
        f"pid_file {at.data}/mosquitto.pid",
        "persistence true",
        f"persistence_location {at.data}/",
        "autosave_interval 60",
        "max_packet_size 4194304",
        "max_queued_messages 100000",
        "max_inflight_messages 1000",
        "max_keepalive 120",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    if at.user:
        lines.append(f"user {at.user}")
    if at.port:
        lines += ["", f"listener {at.port} {at.bind}"]
    if at.tls_port:
        lines += [
            "",
            f"listener {at.tls_port} {at.bind}",
            f"certfile {at.folder}/server.crt",
            f"keyfile {at.folder}/server.key",
            "tls_version tlsv1.2",
        ]
    return "\n".join(lines) + "\n"
