"""What the endpoints share: who may see devices, which device or space a request names."""

from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest

from base_ops.core import auth, errors
from base_ops.core.models import Role, Space, User
from devices import selectors
from devices.models import Device

FLOOR_ROLES = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.ADMIN})


class NoSuchDevice(errors.NotFound):
    """Unknown, or not in a room that the caller holds."""

    code, title_zh, title_en = "no_such_device", "没有此设备", "No such device"


class NoSuchSpace(errors.NotFound):
    """Unknown, or not held by the caller."""

    code, title_zh, title_en = "no_such_space", "没有此空间", "No such space"


def allowed(request: HttpRequest) -> User:
    """The caller, unless their role has no business with devices.

    Raises:
        errors.Forbidden: finance and liaison.
    """
    user = auth.user_of(request)
    if user.tenant_id is None and user.role not in FLOOR_ROLES:
        raise errors.Forbidden(f"role {user.role} does not see devices")
    return user


def visible(request: HttpRequest, now: datetime) -> QuerySet[Device]:
    """The devices that the caller may see."""
    user = allowed(request)
    rows = Device.objects.select_related("model", "space", "shadow")
    if user.tenant_id is None:
        return rows
    return rows.filter(space_id__in=selectors.held_space_ids(tenant_id=user.tenant_id, now=now))


def device_of(request: HttpRequest, code: str, now: datetime) -> Device:
    """One device that the caller may see.

    Raises:
        NoSuchDevice: unknown, or hidden.
    """
    device = visible(request, now).filter(code=code).first()
    if device is None:
        raise NoSuchDevice(code[:64])
    return device


def space_of(request: HttpRequest, code: str, now: datetime) -> Space:
    """One space that the caller may see.

    Raises:
        NoSuchSpace: unknown, or not held.
    """
    user = allowed(request)
    space = Space.objects.filter(code=code).first()
    hidden = user.tenant_id is not None and not selectors.holds_space(
        tenant_id=user.tenant_id, space_code=code, now=now
    )
    if space is None or hidden:
        raise NoSuchSpace(code[:32])
    return space
