"""An Ultra Encode on the wire, written from the maker's interface document."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Box:
    """The encoder itself."""

    user: str = "Admin"
    password: str = "supersecretpassword"
    logins: int = 0
    sessions: set[str] = field(default_factory=set)
    living: bool = False
    result: int = 22  # of the session while it lives: connected
    refuses: dict[str, int] = field(default_factory=dict)
    server: dict[str, Any] = field(
        default_factory=lambda: {"id": 3, "type": 0, "url": "", "key": "", "is-use": 0}
    )
    main: dict[str, Any] = field(
        default_factory=lambda: {
            "is-auto": 1, "cx": 1920, "cy": 1080, "duration": 333333, "kbps": 6000, "gop": 2,
            "fourcc": 0, "profile": 2, "cbrstat": 60, "fullrange": 0, "codec": 0,
        }
    )  # fmt: skip
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, query: dict[str, str], session: str) -> tuple[dict[str, Any], str]:
        """The body, and the session that begins."""
        self.asked.append(query)
        method = query["method"]
        if method == "login":
            return self._login(query)
        if session not in self.sessions:
            return {"result": -17}, ""
        if method in self.refuses:
            return {"result": self.refuses[method]}, ""
        return self._do(method, query), ""

    def _login(self, query: dict[str, str]) -> tuple[dict[str, Any], str]:
        digest = hashlib.md5(self.password.encode()).hexdigest()
        if (query["id"], query["pass"]) != (self.user, digest):
            return {"result": -1}, ""
        self.logins += 1
        session = f"s{self.logins}"
        self.sessions.add(session)
        return {"result": 0}, session

    def _do(self, method: str, query: dict[str, str]) -> dict[str, Any]:
        if method == "start-live":
            self.living = True
        elif method == "stop-live":
            self.living = False
        elif method == "enable-server":
            self.server["is-use"] = int(query["is-use"])
        elif method == "set-server":
            self.server |= {"url": query["url"], "key": query.get("key", "")}
        elif method == "set-video":
            self.main |= {key: int(query[key]) for key in self.main}
        return {"result": 0, **self._tell(method)}

    def _tell(self, method: str) -> dict[str, Any]:
        session = {
            "id": 3,
            "type": 0,
            "is-use": self.server["is-use"],
            "result": self.result,
            "inst-bps": 5_800_000,
            "video-frames-totoal": 900,
            "video-frames-dropped": 9,
        }
        answers: dict[str, dict[str, Any]] = {
            "get-info": {"product": {"sn": "B313", "firmware-ver-s": "2.4.21"}},
            "get-status": {
                "cur-status": 0x20 | (0x04 if self.living else 0),
                "cpu-temperature": 61_100,
                "live-status": {"live": [session]},
                "input-signal": {"status": 0, "cx": 1920, "cy": 1080},
            },
            "get-settings": {"main-stream": self.main, "stream-server": [self.server]},
        }
        return answers.get(method, {})


@contextmanager
def running(box: Box) -> Iterator[int]:
    """The encoder on 127.0.0.1; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            assert parts.path == "/usapi"
            query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
            session = self.headers.get("Cookie", "").removeprefix("sid=")
            body, begun = box.answer(query, session)
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            if begun:
                self.send_header("Set-Cookie", f"sid={begun}; Path=/")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
