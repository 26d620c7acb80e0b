"""Who may follow the occupancy topics, and what makes them change from outside."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from base_ops.core import live
from base_ops.core.models import Role, User
from booking import occupancy
from devices import signals

_OPS = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.ADMIN})


def connect() -> None:
    """Register permissions and the signal; called once, when the app is ready."""
    live.register("occ.public", _anybody)
    live.register("occ.ops", _ops)
    live.register("occ.gov", _gov)
    live.register("occ.tenant.", _own)
    signals.space_changed.connect(_space_changed, dispatch_uid="booking.occupancy")


def _anybody(user: User, topic: str) -> bool:
    return user.is_active


def _ops(user: User, topic: str) -> bool:
    return user.role in _OPS


def _gov(user: User, topic: str) -> bool:
    return user.role in {Role.LIAISON, Role.ADMIN}


def _own(user: User, topic: str) -> bool:
    """A tenant's topic is for its own people only; the base has occ.ops."""
    return user.tenant is not None and topic == f"occ.tenant.{user.tenant.code}"


def _space_changed(
    sender: object, *, space_ids: Collection[int], now: datetime, **more: Any
) -> None:
    """The bridge saw a space go on or off air, a link or an alarm change; same transaction."""
    occupancy.refresh(space_ids=space_ids, now=now)
