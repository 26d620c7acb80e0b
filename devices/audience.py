"""Who may watch the live topics of this app."""

from base_ops.core import clock, live
from base_ops.core.models import Role, User
from devices import selectors

WATCHERS = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.ADMIN})


def register() -> None:
    """Rooms: the floor staff, and a tenant while a grant lasts. Alarms and
    the registry: the floor staff."""
    live.register("space.", may_watch_space)
    live.register("alarms", may_watch_alarms)
    live.register("registry", may_watch_alarms)


def may_watch_space(user: User, topic: str) -> bool:
    """Whether the user may see the devices of the space named by the topic."""
    if user.role in WATCHERS:
        return True
    if user.tenant_id is None:
        return False
    code = topic.removeprefix("space.")
    return selectors.holds_space(tenant_id=user.tenant_id, space_code=code, now=clock.now())


def may_watch_alarms(user: User, topic: str) -> bool:
    """Whether the user may see the base's alarms."""
    return user.role in WATCHERS
