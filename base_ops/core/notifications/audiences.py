"""To whom a notice goes, as text that a row can hold: the people behind it are found later."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ROLE = re.compile(r"[a-z_]{1,16}")


@dataclass(frozen=True, slots=True)
class Roles:
    """People of the base with one of these roles, and the base's own endpoints."""

    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class TenantPeople:
    """Everybody of one tenant, and that tenant's own endpoints."""

    tenant_id: int


@dataclass(frozen=True, slots=True)
class OneUser:
    """One person and no endpoint."""

    user_id: int


@dataclass(frozen=True, slots=True)
class OneEndpoint:
    """One endpoint and nobody else: a test message."""

    endpoint_id: int


Audience = Roles | TenantPeople | OneUser | OneEndpoint


def roles(*names: str) -> Roles:
    """People of the base with one of the roles.

    Raises:
        ValueError: none was named, or something that is no role.
    """
    return Roles(_checked(str(name) for name in names))


def _checked(names: Iterable[str]) -> frozenset[str]:
    found = frozenset(names)
    if not found or not all(_ROLE.fullmatch(name) for name in found):
        raise ValueError(f"not roles: {sorted(found)}")
    return found


def write(audience: Audience) -> str:
    """The text of an audience; equal audiences have equal texts."""
    match audience:
        case Roles(names):
            return "roles:" + ",".join(sorted(_checked(names)))
        case TenantPeople(pk):
            return f"tenant:{int(pk)}"
        case OneUser(pk):
            return f"user:{int(pk)}"
        case OneEndpoint(pk):
            return f"endpoint:{int(pk)}"


def read(text: str) -> Audience:
    """The audience behind a text that `write` made.

    Raises:
        ValueError: any other text.
    """
    kind, _, rest = text.partition(":")
    match kind:
        case "roles":
            return Roles(_checked(rest.split(",")))
        case "tenant":
            return TenantPeople(int(rest))
        case "user":
            return OneUser(int(rest))
        case "endpoint":
            return OneEndpoint(int(rest))
        case _:
            raise ValueError(f"not an audience: {text[:40]!r}")
