"""How a device may connect to the broker: a password of its own, shown once."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from devices.api.common import device_of
from devices.models import BrokerAccount
from devices.services import accounts

router = Router()


class AccountOut(Schema):
    """Whether the device may connect, and since when."""

    name: str
    changed_at: datetime
    revoked_at: datetime | None


class NewAccountOut(AccountOut):
    """With the password, this once."""

    password: str


@router.get("/devices/{code}/credentials", response={200: AccountOut, codes_4xx: Problem})
@roles(Role.MANAGER, Role.TECHNICIAN)
def read_credentials(request: HttpRequest, code: str) -> BrokerAccount:
    """The account of a device, without its password."""
    return _account(device_of(request, code, clock.now()).code)


@router.post("/devices/{code}/credentials", response={201: NewAccountOut, codes_4xx: Problem})
@roles(Role.MANAGER, Role.TECHNICIAN)
def renew_credentials(request: HttpRequest, code: str) -> Status[NewAccountOut]:
    """A new password for the device; whoever is connected by the old one is sent away.

    Asking twice makes two passwords, of which the last counts: no answer is kept to be repeated.
    """
    now = clock.now()
    device = device_of(request, code, now)
    secret = accounts.issue_for_device(device=device, actor=auth.actor_of(request), now=now)
    row = _account(device.code)
    return Status(
        201,
        NewAccountOut(
            name=row.name,
            changed_at=row.changed_at,
            revoked_at=row.revoked_at,
            password=secret,
        ),
    )


@router.delete("/devices/{code}/credentials", response={204: None, codes_4xx: Problem})
@roles(Role.MANAGER, Role.TECHNICIAN)
def revoke_credentials(request: HttpRequest, code: str) -> Status[None]:
    """The device may not connect any more and is sent away."""
    now = clock.now()
    device = device_of(request, code, now)
    accounts.revoke(name=device.code, actor=auth.actor_of(request), now=now)
    return Status(204, None)


def _account(name: str) -> BrokerAccount:
    row = BrokerAccount.objects.filter(name=name).first()
    if row is None:
        raise accounts.NoAccount(name)
    return row
