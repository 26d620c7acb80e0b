"""The HTTP interface of Magewell Ultra Encode encoders: what is asked, and what it means. Pure.

Each request is GET /usapi?method=…; each answer a JSON object whose `result` is 0 or says why not.

Source: magewell.com/api-docs/ultra-encode-api: login, get-status, get-settings, set-server,
enable-server, set-video, start-live, stop-live, API status codes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_BYTES = 1024 * 1024
RTMP = 0
LIVING = 0x04  # the bit of `cur-status`
CONNECTED = 22
_CONNECTING = frozenset({2, 23, 24, 25, 27, 28})
WANTS_LOGIN = frozenset({-1, -17})  # errPasswd, errNeedAuth
ALREADY = frozenset({1})  # retRepeat: it is as asked
_CODECS = {0: "h264", 1: "h265"}
_TICKS_PER_S = 10_000_000  # of `duration`, a frame's length
_VIDEO = ("is-auto", "cx", "cy", "duration", "kbps", "gop", "fourcc", "profile", "cbrstat",
          "fullrange", "codec", "is-vbr", "min-vbr-qp", "max-vbr-qp")  # fmt: skip


class BadAnswer(Exception):
    """Bytes that are no answer of this interface."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One of its streaming servers."""

    id: int
    url: str
    key: str
    in_use: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What it does now."""

    run: str
    kbps: float
    frames: int
    dropped: int
    input_locked: bool
    temp_c: float | None


def login(user: str, password: str) -> dict[str, str]:
    """The parameters of a login: the interface takes the MD5 of the password."""
    # Its makers chose MD5; a network of its own is what keeps the gear apart.
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    return {"method": "login", "id": user, "pass": digest}


def set_server(destination: Destination) -> dict[str, str]:
    """Point one of its servers somewhere."""
    return {
        "method": "set-server",
        "id": str(destination.id),
        "type": str(RTMP),
        "url": destination.url,
        "key": destination.key,
        "is-auth": "0",
        "stream-index": "0",
    }


def enable_server(destination_id: int) -> dict[str, str]:
    """Let it stream to that one."""
    return {"method": "enable-server", "id": str(destination_id), "is-use": "1"}


def set_video(now: Mapping[str, Any], wish: Mapping[str, Any]) -> dict[str, str]:
    """Change the picture; what is not wished stays as the main stream has it."""
    kept = {name: now[name] for name in _VIDEO if name in now}
    changes: dict[str, Any] = {"is-auto": 0}
    for ours, theirs in (("w", "cx"), ("h", "cy"), ("kbps", "kbps")):
        if ours in wish:
            changes[theirs] = wish[ours]
    if "fps" in wish:
        changes["duration"] = round(_TICKS_PER_S / wish["fps"])
    if "codec" in wish:
        changes["codec"] = next(n for n, name in _CODECS.items() if name == wish["codec"])
    video = {name: str(value) for name, value in {**kept, **changes}.items()}
    return {"method": "set-video", "stream": "0", **video}


def read(body: bytes) -> dict[str, Any]:
    """An answer.

    Raises:
        BadAnswer: no JSON object with a `result`.
    """
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError) as exc:
        raise BadAnswer("not JSON") from exc
    if not isinstance(answer, dict) or not isinstance(answer.get("result"), int):
        raise BadAnswer("no result")
    return answer


def status(answer: Mapping[str, Any]) -> Status:
    """The answer to get-status.

    Raises:
        BadAnswer: it lacks what every one of these encoders says.
    """
    match answer:
        case {"cur-status": int(mask), "live-status": {"live": list(sessions)}}:
            active = [s for s in sessions if isinstance(s, dict) and s.get("is-use")]
        case _:
            raise BadAnswer("no live-status")
    signal = answer.get("input-signal")
    heat = answer.get("cpu-temperature")
    return Status(
        run=_run(mask, [s.get("result") for s in active]),
        kbps=sum(_number(s, "inst-bps") for s in active) / 1000,
        frames=int(sum(_number(s, "video-frames-totoal") for s in active)),  # so they spell it
        dropped=int(sum(_number(s, "video-frames-dropped") for s in active)),
        input_locked=isinstance(signal, dict) and signal.get("status") == 0,
        temp_c=heat / 1000 if isinstance(heat, int) else None,
    )


def _run(mask: int, results: list[Any]) -> str:
    if not mask & LIVING:
        return "stopped"
    if CONNECTED in results:
        return "live"
    failed = [r for r in results if isinstance(r, int) and r not in _CONNECTING]
    return "error" if failed else "starting"


def destinations(answer: Mapping[str, Any]) -> list[Destination]:
    """The RTMP servers in the answer to get-settings."""
    found = answer.get("stream-server")
    rows = found if isinstance(found, list) else []
    return [
        Destination(
            id=int(_number(row, "id")),
            url=str(row.get("url") or ""),
            key=str(row.get("key") or ""),
            in_use=bool(row.get("is-use")),
        )
        for row in rows
        if isinstance(row, dict) and row.get("type") == RTMP
    ]


def picture(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Codec, size, rate and frames of the main stream in get-settings, as far as it says."""
    main = answer.get("main-stream")
    if not isinstance(main, dict):
        return {}
    found: dict[str, Any] = {
        "w": main.get("cx"),
        "h": main.get("cy"),
        "kbps": main.get("kbps"),
        "codec": _CODECS.get(main.get("codec", -1)),
    }
    if isinstance(duration := main.get("duration"), int) and duration > 0:
        found["fps"] = round(_TICKS_PER_S / duration, 2)
    return {key: value for key, value in found.items() if isinstance(value, int | float | str)}


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
