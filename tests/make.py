"""Plain typed functions that save what a test needs; every name is unique within a run."""

import functools
import itertools
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password

from base_ops.core.models import Floor, Role, Site, Space, SpaceType, Tenant, User

_number = itertools.count(1)
PASSWORD = "Correct-Horse-7"
SQUARE = [[0, 0], [5, 0], [5, 4], [0, 4]]


def floor(**changes: Any) -> Floor:
    """Save a floor, by default of the one test site."""
    if "site" not in changes:
        changes["site"], _ = Site.objects.get_or_create(
            code="TST",
            defaults={
                "name_zh": "测试基地",
                "name_en": "Test base",
                "timezone": "Asia/Shanghai",
                "area_m2": Decimal(2600),
            },
        )
    n = next(_number)
    fields = {"code": f"FL{n}", "level": n, "name_zh": f"{n}层", "name_en": f"Level {n}"}
    return Floor.objects.create(**fields | {"area_m2": 1300, "outline": SQUARE} | changes)


def space_type(**changes: Any) -> SpaceType:
    """Save a kind of studio with 15 minutes around each booking."""
    n = next(_number)
    fields: dict[str, Any] = {
        "code": f"studio_{n}",
        "name_zh": "单人直播间",
        "name_en": "Single-anchor studio",
        "group": "studio",
        "tariff_code": "TF-SINGLE",
        "setup_min": 15,
        "teardown_min": 15,
        "min_min": 60,
        "slot_min": 30,
    }
    return SpaceType.objects.create(**fields | changes)


def space(**changes: Any) -> Space:
    """Save a bookable studio on a floor of its own."""
    if "floor" not in changes:
        changes["floor"] = floor()
    if "type" not in changes:
        changes["type"] = space_type()
    n = next(_number)
    fields: dict[str, Any] = {
        "code": f"S{n:03d}",
        "name_zh": f"直播间{n}",
        "name_en": f"Studio {n}",
        "area_m2": 20,
        "polygon": SQUARE,
        "label_xy": [2.5, 2.0],
        "capacity": 4,
        "booking_mode": "hourly",
        "bookable": True,
        "circuit_capacity_kw": 5,
    }
    return Space.objects.create(**fields | changes)


def tenant(**changes: Any) -> Tenant:
    """Save a tenant of rating B without tags."""
    n = next(_number)
    fields: dict[str, Any] = {
        "code": f"T{n:03d}",
        "category": "brand",
        "name_zh": f"虚构·测试品牌{n}有限公司",
        "short_zh": f"测试{n}",
        "name_en": f"Test brand {n} (fictional)",
        "registered_in_panyu": True,
        "industry": "apparel",
        "joined_on": date(2024, 1, 1),
        "compliance_rating": "B",
        "credit_limit_fen": 5_000_000,
    }
    return Tenant.objects.create(**fields | changes)


def user(role: Role = Role.MANAGER, **changes: Any) -> User:
    """Save somebody with this role; tenant roles get a tenant of their own unless given one."""
    if role in {Role.TENANT_ADMIN, Role.TENANT_MEMBER} and "tenant" not in changes:
        changes["tenant"] = tenant()
    n = next(_number)
    fields: dict[str, Any] = {"email": f"user{n}@test.invalid", "name": f"User {n}"}
    fields |= {"role": role, "language": "zh"}
    return User.objects.create(password=_digest(), **fields | changes)


@functools.cache
def _digest() -> str:
    """The hash of PASSWORD, made once: hashing is slow on purpose."""
    return make_password(PASSWORD)
