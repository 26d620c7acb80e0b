"""What the API says about the building and its people."""

from datetime import date, datetime

from ninja import Schema
from pydantic import Field

from base_ops.core.instants import Instant
from base_ops.core.models import Space

Point = list[float]


class SpaceTypeOut(Schema):
    """A kind of space; times in minutes."""

    code: str
    name_zh: str
    name_en: str
    group: str
    tariff_code: str
    setup_min: int
    teardown_min: int
    min_min: int
    slot_min: int


class SpaceOut(Schema):
    """One space; lengths in metres, areas in m²."""

    code: str
    floor: str
    type: str
    group: str
    name_zh: str
    name_en: str
    area_m2: float
    polygon: list[Point]
    label_xy: Point
    capacity: int
    booking_mode: str
    bookable: bool
    rentable_monthly: bool
    unit_count: int | None
    features: list[str]

    @staticmethod
    def resolve_floor(obj: Space) -> str:
        """The floor's code."""
        return obj.floor.code

    @staticmethod
    def resolve_type(obj: Space) -> str:
        """The type's code."""
        return obj.type.code

    @staticmethod
    def resolve_group(obj: Space) -> str:
        """The type's group."""
        return obj.type.group


class FloorOut(Schema):
    """One floor with its spaces."""

    code: str
    level: int
    name_zh: str
    name_en: str
    area_m2: float
    outline: list[Point]
    spaces: list[SpaceOut]


class SiteOut(Schema):
    """The base; the notice says that the plan is illustrative."""

    code: str
    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    timezone: str
    area_m2: float
    notice_zh: str
    notice_en: str


class TenantRef(Schema):
    """How a tenant is named elsewhere."""

    code: str
    short_zh: str
    name_zh: str
    name_en: str


class TenantOut(TenantRef):
    """A tenant as the base sees it."""

    category: str
    uscc: str | None
    town_street: str
    registered_in_panyu: bool
    industry: str
    joined_on: date
    compliance_rating: str
    tags: list[str]
    credit_limit_fen: int
    status: str


class UserOut(Schema):
    """Somebody who is signed in; `id` names their live topic `notices.<id>`."""

    id: int
    email: str
    name: str
    role: str
    language: str
    tenant: TenantRef | None


class SessionOut(Schema):
    """Who is signed in; `csrf` goes into X-CSRFToken of every write; `now` is the base's clock."""

    user: UserOut | None
    csrf: str
    demo: bool
    now: datetime


class SignIn(Schema):
    """E-mail and password."""

    email: str = Field(min_length=3, max_length=254)
    password: str = Field(min_length=1, max_length=200)


class TokenIn(Schema):
    """A name to recognise the token by, and its end."""

    name: str = Field(min_length=1, max_length=80)
    expires_at: Instant | None = None


class TokenOut(Schema):
    """A personal token without its secret."""

    id: int
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    """The one answer that carries the secret."""

    token: str


class AuditOut(Schema):
    """One thing that somebody did."""

    at: datetime
    actor_kind: str
    actor_label: str
    actor_role: str
    action: str
    object_type: str
    object_code: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    request_id: str


class Ping(Schema):
    """Proof that the caller is known."""

    ok: bool = True
