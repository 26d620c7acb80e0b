"""What the API says about devices."""

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field


class DeviceOut(Schema):
    """One device as it is now; `at` is its last sign of life, `link` says how sure we are."""

    code: str
    space: str | None
    status: str
    kind: str
    role: str
    model: str
    name_zh: str
    name_en: str
    link: str
    reported: dict[str, Any]
    desired: dict[str, Any] | None
    pending: bool
    at: datetime | None
    version: int


class DeviceDetailOut(DeviceOut):
    """With what it can be told; empty means that it is only read."""

    capabilities: dict[str, dict[str, Any]]
    meta: dict[str, Any]


class CommandIn(Schema):
    """Absolute values of the keys to change."""

    state: dict[str, Any] = Field(max_length=32)
    if_v: int | None = Field(default=None, ge=0, le=2**31 - 1)
    override: bool = False


class MoveIn(Schema):
    """Speeds from -1 to 1 of the axes to drive; it stops by itself after `deadman_ms`."""

    pan: float | None = Field(default=None, ge=-1, le=1)
    tilt: float | None = Field(default=None, ge=-1, le=1)
    zoom: float | None = Field(default=None, ge=-1, le=1)
    deadman_ms: int = Field(default=500, ge=1, le=1000)
    override: bool = False


class CommandOut(Schema):
    """One command and where it stands; `reason` says why it ended as it did."""

    id: str
    device: str
    op: str
    state: dict[str, Any]
    status: str
    reason: str
    actor: str
    booking: str | None
    scene_run: str | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    acked_at: datetime | None
    ended_at: datetime | None


class SceneIn(Schema):
    """One of standby, prepare, on_air, wrap, off."""

    scene: str = Field(pattern="^(standby|prepare|on_air|wrap|off)$")


class SceneResultOut(Schema):
    """What became of one device of a scene; `reason` says why it ended as it did."""

    device: str
    state: dict[str, Any]
    status: str
    reason: str


class SceneStepOut(Schema):
    """What a scene would tell one device, and how long that waits for those before it."""

    device: str
    kind: str
    state: dict[str, Any]
    before: dict[str, Any]
    after_ms: int


class SceneRefusalOut(Schema):
    """One reason why a scene would be refused."""

    code: str
    title_zh: str
    title_en: str
    detail: str


class ScenePreflightOut(Schema):
    """What a scene would change, what the room would draw, and what stands against it."""

    space: str
    scene: str
    ok: bool
    steps: list[SceneStepOut]
    load_w: int
    load_after_w: int
    circuit_w: int
    refusals: list[SceneRefusalOut]


class SceneRunOut(Schema):
    """A scene applied to a space; `progress` counts its commands by status."""

    id: str
    space: str
    scene: str
    booking: str | None
    until: datetime | None
    actor: str
    created_at: datetime
    finished: bool
    outcome: str = Field(description="running, done, partial or failed")
    progress: dict[str, int]
    results: list[SceneResultOut]
