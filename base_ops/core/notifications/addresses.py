"""Which addresses the base sends to: https, and only to the public internet unless allowed.

A name is resolved once; whoever sends connects to exactly the address that was judged here, so
that a name cannot mean another machine a moment later.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PATH = re.compile(r"[!-~]*")  # printable ASCII without spaces
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
FIRST_FREE_PORT = 1024

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class BadAddress(ValueError):
    """An address that the base does not send to; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: `host` for TLS and the Host header, `path` with its query."""

    https: bool
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.https else 80) else f"{host}:{self.port}"


def parse(url: str, *, private: bool) -> Target:
    """Read an address without looking anything up.

    Args:
        url: as somebody wrote it.
        private: also http, any port, and machines inside.

    Raises:
        BadAddress: not an address to send to.
    """
    if not url.isprintable():  # urlsplit would silently leave out line breaks
        raise BadAddress("malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError) as exc:
        raise BadAddress("malformed") from exc
    if parts.scheme not in ({"https", "http"} if private else {"https"}):
        raise BadAddress("not_https")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadAddress("malformed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _PATH.fullmatch(path) or not (_HOST.fullmatch(host) or _literal(host)):
        raise BadAddress("malformed")
    https = parts.scheme == "https"
    port = (443 if https else 80) if port is None else port
    if not private and port != 443 and port < FIRST_FREE_PORT:
        raise BadAddress("port")
    literal = _literal(host)
    if literal is not None and not private and not is_public(literal):
        raise BadAddress("not_public")
    return Target(https, host, port, path)


def resolved(target: Target, *, private: bool) -> list[str]:
    """The addresses of the target, to connect to as they are.

    Raises:
        BadAddress: the name is unknown, or one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise BadAddress("unknown_host") from exc
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not private and not all(is_public(ipaddress.ip_address(a)) for a in addresses):
        raise BadAddress("not_public")
    return addresses


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """Whether the address is on the internet, also when it is wrapped in an IPv6 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _wrapped(address)
        if inner is not None:
            return is_public(inner)
        if address.scope_id is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a mapped, 6to4, Teredo or NAT64 address leads to."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def with_query(url: str, more: Mapping[str, str]) -> str:
    """The address with parameters added to its query."""
    if not more:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(more)}"
