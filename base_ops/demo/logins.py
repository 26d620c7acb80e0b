"""One login per role with a password made on this machine; never a default."""

import json
import os
import secrets
from pathlib import Path

from django.contrib.auth.hashers import make_password

from base_ops.core.models import TENANT_ROLES, Role, Tenant, User

FILE = "logins.json"
NAMES = {
    Role.ADMIN: ("admin", "系统管理员"),
    Role.MANAGER: ("manager", "基地经理"),
    Role.TECHNICIAN: ("tech", "设备技师"),
    Role.FINANCE: ("finance", "财务"),
    Role.LIAISON: ("district", "区联络员"),
}
TENANT_CODE = "T007"
_WORDS = "amber bamboo cedar coral ember harbor indigo jade lotus maple orchid pearl river sable"


def passwords(state_dir: Path) -> dict[str, str]:
    """Password by role, from the state folder; made there (mode 0600) the first time."""
    file = state_dir / FILE
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    made = {str(role): _password() for role in Role}
    made[Role.TENANT_MEMBER] = made[Role.TENANT_ADMIN]
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as out:
        json.dump(made, out)
    return made


def _password() -> str:
    """Two words and six digits: 40 bits, easy to type from a terminal into a phone."""
    words = _WORDS.split()
    return f"{secrets.choice(words)}-{secrets.choice(words)}-{secrets.randbelow(10**6):06d}"


def create(state_dir: Path) -> list[tuple[str, str, str]]:
    """Save the demo users; returns (role, e-mail, password) for one login per role."""
    secret = passwords(state_dir)
    shown = [_staff(role, mail, name, secret[role]) for role, (mail, name) in NAMES.items()]
    _tenant_users(secret[Role.TENANT_ADMIN])
    return shown + tenant_logins(secret)


def tenant_logins(secret: dict[str, str]) -> list[tuple[str, str, str]]:
    """The tenant logins that are shown to people."""
    owner = owner_address(TENANT_CODE)
    return [
        (str(role), mail, secret[role])
        for role, mail in zip(TENANT_ROLES, (owner, member_address(TENANT_CODE)), strict=True)
    ]


def shown(state_dir: Path) -> list[tuple[str, str, str]]:
    """(role, e-mail, password) for one login per role, from the state folder."""
    secret = passwords(state_dir)
    staff = [
        (str(role), f"{mail}@demo.invalid", secret[role]) for role, (mail, _) in NAMES.items()
    ]
    return staff + tenant_logins(secret)


def owner_address(tenant_code: str) -> str:
    """The sign-in address of a demo tenant's owner."""
    return f"tenant{tenant_code[-2:]}@demo.invalid"


def member_address(tenant_code: str) -> str:
    """The sign-in address of a demo tenant's member."""
    return f"member{tenant_code[-2:]}@demo.invalid"


def _staff(role: Role, mail: str, name: str, password: str) -> tuple[str, str, str]:
    email = f"{mail}@demo.invalid"
    if not User.objects.filter(email=email).exists():
        make = User.objects.create_superuser if role == Role.ADMIN else User.objects.create_user
        fields = {} if role == Role.ADMIN else {"role": role}
        make(email, password, name=name, language="zh", **fields)
    return str(role), email, password


def _tenant_users(password: str) -> None:
    """An owner for each tenant and a member for one, all with the tenants' password."""
    digest = make_password(password)
    known = set(User.objects.values_list("email", flat=True))
    rows = [
        User(
            email=owner_address(tenant.code),
            name=f"{tenant.short_zh}·负责人",
            role=Role.TENANT_ADMIN,
            tenant=tenant,
            language="zh",
            password=digest,
        )
        for tenant in Tenant.objects.all()
    ]
    member = Tenant.objects.get(code=TENANT_CODE)
    rows.append(
        User(
            email=member_address(TENANT_CODE),
            name=f"{member.short_zh}·成员",
            role=Role.TENANT_MEMBER,
            tenant=member,
            language="zh",
            password=digest,
        )
    )
    User.objects.bulk_create(row for row in rows if row.email not in known)
