"""What the API says about the registry: inventory, life, adoption, places, windows, tests."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from base_ops.core.instants import Instant
from base_ops.core.problems import FieldProblem, Problem
from devices.domain.lifecycle import Deed
from devices.services.stocktaking import InventoryRowState

Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
DeviceCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
ModelCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,23}$")]
Role = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
SpaceCode = Annotated[str, StringConstraints(max_length=32)]


class InventoryOut(Schema):
    """One device as the registry has it; `possible` are the deeds that its stage allows."""

    code: str
    status: str
    kind: str
    role: str
    model: str | None
    space: str | None
    place: str | None
    convention: str
    firmware: str
    wanted_firmware: str
    serial: str
    note: str
    said: dict[str, Any]
    link: str
    first_heard_at: datetime | None
    heard_at: datetime | None
    orphaned_at: datetime | None
    possible: list[str]
    version: int


class FirmwareOut(Schema):
    """How many devices of a model run one firmware; `outdated` when the model wants another."""

    model: str
    firmware: str
    wanted: str
    outdated: bool
    devices: int


class LifeEventOut(Schema):
    """One step in a device's life."""

    at: datetime
    deed: str
    was: str
    became: str
    place: str | None
    by: str
    why: str


class LifeIn(Schema):
    """A deed that needs only a reason; adoption and swap have addresses of their own."""

    deed: Literal["reject", "service", "return", "retire", "readmit"]
    why: Why

    @property
    def wanted(self) -> Deed:
        """As the table of transitions knows it."""
        return Deed(self.deed)


class DeviceEditIn(Schema):
    """What people write about a device."""

    serial: Short
    note: Note


class DismissIn(Schema):
    """Strangers to be forgotten, to make room; they may come again."""

    devices: list[DeviceCode] = Field(min_length=1, max_length=500)
    why: Why


class DismissedOut(Schema):
    """How many were forgotten."""

    dismissed: int


class SettingsIn(Schema):
    """The limits for strangers, and whether somebody else must approve an adoption."""

    adoption_needs_approval: bool
    max_waiting: int = Field(ge=1, le=10_000)
    max_newcomers_per_hour: int = Field(ge=1, le=10_000)
    keep_silent_days: int = Field(ge=1, le=365)


class SettingsOut(SettingsIn):
    """As they are, and how many wait now."""

    waiting: int
    proposed: int


class AnnouncementOut(Schema):
    """What one topic announced about a foreign device; `gone_at` when it was withdrawn."""

    topic: str
    document: dict[str, Any]
    gone_at: datetime | None
    cleaning: bool


class AnnouncementsOut(Schema):
    """All that was announced about a foreign device, and why it cannot be bound, if so."""

    convention: str
    key: str
    fault: str
    capabilities: dict[str, dict[str, Any]]
    documents: list[AnnouncementOut]


class GhostsIn(Schema):
    """A confirmation: the broker forgets what it keeps of the device's announcements."""

    confirm: Literal[True]
    why: Why


class GhostsOut(Schema):
    """On how many topics the broker is to forget."""

    topics: int


class ModelIn(Schema):
    """A make of device; `limits` change what its kind can be told, null takes a key away."""

    kind: Kind
    brand: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    model: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    name_zh: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    planning_power_w: int = Field(default=0, ge=0, le=1_000_000)
    firmware: Short = ""
    limits: dict[str, dict[str, Any] | None] = Field(default={}, max_length=64)


class ModelNewIn(ModelIn):
    """A new one."""

    code: ModelCode


class ModelOut(ModelIn):
    """As it is: `capabilities` is the table that results."""

    code: str
    devices: int
    capabilities: dict[str, dict[str, Any]]


class AdoptionIn(Schema):
    """Where a stranger is to serve, and as what; `place` is its own code unless given."""

    model: ModelCode
    space: SpaceCode
    place: DeviceCode | None = None
    role: Role = ""
    why: Note = ""


class DecisionIn(Schema):
    """Why it is approved or refused."""

    why: Note = ""


class AdoptionOut(Schema):
    """A proposal and what became of it."""

    id: int
    device: str
    model: str
    space: str
    place: str
    role: str
    why: str
    status: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_why: str


class MountingOut(Schema):
    """A device at a place for [since, until); now, while `until` is null."""

    device: str
    model: str
    since: datetime
    until: datetime | None
    by: str
    why: str


class PlaceOut(Schema):
    """A position in a space, and what hangs there now."""

    code: str
    space: str
    kind: str
    role: str
    name: str
    device: str | None


class PlaceDetailOut(PlaceOut):
    """With its history, the latest first."""

    history: list[MountingOut]


class PlacePoint(Schema):
    """One measurement, or the mean of some, and the device that made them."""

    at: datetime
    value: float
    min: float
    max: float
    count: int
    device: str


class PlaceTelemetryOut(Schema):
    """One metric of a place over time, across swaps."""

    place: str
    metric: str
    points: list[PlacePoint]


class SpareIn(Schema):
    """The spare that comes, and what becomes of the unit that goes."""

    spare: DeviceCode
    fate: Literal["service", "retire"] = "service"
    why: Why


class WindowIn(Schema):
    """A space, or some devices, out of service for [starts_at, ends_at)."""

    space: SpaceCode | None = None
    devices: list[DeviceCode] = Field(default=[], max_length=200)
    starts_at: Instant
    ends_at: Instant
    why: Why


class WindowEditIn(Schema):
    """Other times, or another reason."""

    starts_at: Instant
    ends_at: Instant
    why: Why


class WindowOut(Schema):
    """One window; `status` is planned, running, over or cancelled."""

    id: int
    space: str | None
    devices: list[str]
    starts_at: datetime
    ends_at: datetime
    why: str
    status: str
    created_by: str
    created_at: datetime


class TestStepOut(Schema):
    """One thing that was tried; `seen` is what the device reported of it."""

    __test__ = False
    number: int
    name: str
    title_zh: str
    title_en: str
    state: dict[str, Any] | None
    status: str
    why: str
    command: str | None
    seen: dict[str, Any] | None
    started_at: datetime | None
    ended_at: datetime | None


class TestOut(Schema):
    """One test of a device with its steps."""

    __test__ = False
    id: int
    device: str
    place: str | None
    result: str
    by: str
    firmware: str
    started_at: datetime
    ended_at: datetime | None
    steps: list[TestStepOut]


class InventoryRowOut(Schema):
    """One row of a file; `faults` name the column and say why."""

    row: int
    device: str
    state: InventoryRowState
    faults: list[FieldProblem]


class InventoryImportOut(Schema):
    """What became of a file, or would; `ignored` are columns that nobody asked for."""

    dry_run: bool
    counts: dict[InventoryRowState, int]
    ignored: list[str]
    rows: list[InventoryRowOut]


class InventoryRefusedProblem(Problem):
    """409 inventory_refused."""

    rows: list[InventoryRowOut] = []
