"""Structured log lines: a dotted event, its data beside it, and the request it belongs to."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

# The address of a calendar feed is its secret.
_SECRET = re.compile(r"/calendars/[^/\s\"'>?]+")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def data_of(record: logging.LogRecord) -> dict[str, object]:
    """What was passed as `extra`, and the request id if there is one."""
    data = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if rid := request_id.get():
        data["request_id"] = rid
    return data


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Render the record; values that JSON cannot hold become their text."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **data_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _safe(json.dumps(line, ensure_ascii=False, default=str))


class PlainFormatter(logging.Formatter):
    """One readable line, for people: time, level, event, key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Render the record; line breaks inside values are escaped."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        pairs = " ".join(f"{k}={_short(v)}" for k, v in data_of(record).items())
        text = f"{at} {record.levelname[0]} {record.getMessage()} {pairs}".rstrip()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return _safe(text)


def _safe(line: str) -> str:
    """The line without secret addresses."""
    return _SECRET.sub("/calendars/…", line)


def _short(value: object) -> str:
    """A value on one line, cut at 200 characters."""
    text = str(value).replace("\n", "\\n").replace("\r", "\\r")
    return text if len(text) <= 200 else text[:199] + "…"
