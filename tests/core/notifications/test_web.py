"""Sending over HTTP to servers that work, are dead, slow, hostile, or not where they seem."""

import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from base_ops.core.notifications import addresses, web
from tests.core.notifications import servers
from tests.core.notifications.certificates import Authority

SOON_S = 0.5


def post(url: str, *, total_s: float = 5.0, **options: Any) -> web.Answer:
    target = addresses.parse(url, private=True)
    return web.post(target, body=b"{}", headers={}, private=True, total_s=total_s, **options)


def test_a_request_arrives_with_its_headers_and_body() -> None:
    with servers.web() as server:
        server.answer = lambda _: (202, {"Retry-After": "7"}, b"thanks")
        target = addresses.parse(server.url + "?a=b", private=True)
        answer = web.post(target, body=b'{"a":1}', headers={"X-Mine": "1"}, private=True)

    assert answer == web.Answer(202, "7", b"thanks")
    (heard,) = server.heard
    assert (heard.path, heard.json) == ("/hook?a=b", {"a": 1})
    assert heard.headers["host"] == target.netloc
    assert heard.headers["x-mine"] == "1"


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (servers.black_hole, "timeout"),
        (servers.slow_loris, "timeout"),
        (servers.closes, "broken_answer"),
        (servers.hangs_up_half_way, "broken_answer"),
        (servers.speaks_no_http, "broken_answer"),
    ],
)
def test_a_bad_server_ends_the_attempt(talk: servers.Talk, code: str) -> None:
    with servers.raw(talk) as url, pytest.raises(web.NoAnswer) as caught:
        post(url, total_s=SOON_S)

    assert caught.value.code in {code, "unreachable"}


def test_a_single_wait_is_bounded_also_when_the_whole_is_not_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "READ_S", 0.1)

    with servers.raw(servers.black_hole) as url, pytest.raises(web.NoAnswer) as caught:
        post(url, total_s=3600)

    assert caught.value.code == "timeout"


def test_nobody_listening_is_known_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(web.NoAnswer, match="unreachable"):
        post(f"http://127.0.0.1:{port}/")


def test_an_endless_answer_is_read_to_a_bound() -> None:
    with servers.raw(servers.endless) as url:
        answer = post(url)

    assert (answer.status, len(answer.body)) == (200, web.MOST_BODY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with servers.web() as there, servers.web() as here:
        here.answer = lambda _: (status, {"Location": there.url}, b"")
        answer = post(here.url)

    assert answer.status == status
    assert there.heard == []


def test_tls_is_checked_against_the_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with servers.web(tls=authority.server("127.0.0.1")) as good:
        assert post(good.url, tls=authority.client()).status == 200
        with pytest.raises(web.NoAnswer, match="tls"):
            post(good.url, tls=ssl.create_default_context())  # an authority nobody knows
    with servers.web(tls=authority.server("192.0.2.1")) as wrong:
        with pytest.raises(web.NoAnswer, match="tls"):
            post(wrong.url, tls=authority.client())
        assert wrong.heard == []


def test_a_name_is_resolved_once_and_no_second_answer_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    really = socket.getaddrinfo

    def rebinding(host: str, port: int, *more: Any, **options: Any) -> list[Any]:
        """Our server at first sight, another machine ever after."""
        if host != "rebind.test":
            return list(really(host, port, *more, **options))
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "93.184.215.14"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with servers.web() as server:
        port = int(server.url.split(":")[2].split("/")[0])
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        answer = post(f"http://rebind.test:{port}/hook")
        monkeypatch.undo()

    assert (answer.status, asked) == (200, ["rebind.test"])
    assert server.heard[0].headers["host"] == f"rebind.test:{port}"


def test_a_public_name_that_leads_inside_is_never_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def inside(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        found = ("93.184.215.14", "127.0.0.1")  # one of them is enough
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found]

    with servers.web() as server:
        port = int(server.url.split(":")[2].split("/")[0])
        target = addresses.parse(f"https://public.test:{port}/", private=False)
        monkeypatch.setattr(socket, "getaddrinfo", inside)
        with pytest.raises(addresses.BadAddress, match="not_public"):
            web.post(target, body=b"", headers={}, private=False)
        monkeypatch.undo()

    assert server.heard == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/", "not_https"),
        ("ftp://example.org/", "not_https"),
        ("https://", "malformed"),
        ("https://user:secret@example.org/", "malformed"),
        ("https://example.org/#x", "malformed"),
        ("https://exa mple.org/", "malformed"),
        ("https://example.org/a b", "malformed"),
        ("https://example.org/\r\nX-Evil: 1", "malformed"),
        ("https://example.org:99999/", "malformed"),
        ("https://example.org:25/", "port"),
        ("https://127.0.0.1/", "not_public"),
        ("https://[::1]/", "not_public"),
        ("https://169.254.169.254/latest/meta-data", "not_public"),
        ("https://[::ffff:10.0.0.1]/", "not_public"),
    ],
)
def test_addresses_that_are_refused_without_asking_anybody(url: str, code: str) -> None:
    with pytest.raises(addresses.BadAddress, match=f"^{code}$"):
        addresses.parse(url, private=False)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_what_is_not_the_internet(address: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_what_is_the_internet(address: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(address))
