"""What the API says about energy, live sessions and outages."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from devices.domain import energy
from devices.domain.sessions import Session
from devices.selectors import Energy, RoomOutages


class GapOut(Schema):
    """A time without readings; `bridged`: the counter ran on, so nothing is missing."""

    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime
    bridged: bool


class ResetOut(Schema):
    """The counter began again before `at`."""

    at: datetime
    before_wh: float
    after_wh: float


class MeterOut(Schema):
    """One meter; `quality`: complete, estimated (pauses or resets), partial, unknown."""

    device: str
    wh: float | None
    quality: str
    gaps: list[GapOut]
    resets: list[ResetOut]


class EnergyOut(Schema):
    """What was used within [from, to), as far as it is known."""

    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime
    wh: int | None
    quality: str
    meters: list[MeterOut]


class LiveSessionOut(Schema):
    """One show; `counts`: at least 30 minutes on air. Breaks of up to 10 minutes are in it."""

    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime
    on_air_min: int
    breaks: int
    running: bool
    counts: bool


class SpellOut(Schema):
    """A device that was out: offline or uplink (proven), or silent (not)."""

    device: str
    kind: str
    cause: str
    proven: bool
    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime
    running: bool
    evidence: dict[str, Any]


class StretchOut(Schema):
    """A time in which the room could not go live."""

    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime


class OutagesOut(Schema):
    """The proven minutes without service, and everything that was out meanwhile."""

    proven_min: int
    out: list[StretchOut]
    devices: list[SpellOut]


def energy_out(found: Energy) -> EnergyOut:
    """An account of energy, meter by meter."""
    return EnergyOut(
        from_=found.span.start,
        to=found.span.end,
        wh=found.wh,
        quality=found.quality,
        meters=[_meter(code, account) for code, account in found.meters.items()],
    )


def _meter(code: str, found: energy.Account) -> MeterOut:
    return MeterOut(
        device=code,
        wh=None if found.wh is None else round(found.wh, 3),
        quality=found.quality,
        gaps=[GapOut(from_=g.span.start, to=g.span.end, bridged=g.bridged) for g in found.gaps],
        resets=[
            ResetOut(at=r.at, before_wh=r.before_wh, after_wh=r.after_wh) for r in found.resets
        ],
    )


def session_out(found: Session) -> LiveSessionOut:
    """One live session."""
    return LiveSessionOut(
        from_=found.span.start,
        to=found.span.end,
        on_air_min=int(found.on_air.total_seconds() // 60),
        breaks=found.breaks,
        running=found.running,
        counts=found.counts,
    )


def outages_out(found: RoomOutages) -> OutagesOut:
    """What failed, cut to the time that was asked about."""
    return OutagesOut(
        proven_min=found.minutes,
        out=[StretchOut(from_=s.start, to=s.end) for s in found.out],
        devices=[
            SpellOut(
                device=s.device,
                kind=s.kind,
                cause=s.cause,
                proven=s.is_proven,
                from_=part.start,
                to=part.end,
                running=s.running,
                evidence=dict(s.evidence),
            )
            for s in found.spells
            if (part := s.span.intersect(found.within)) is not None
        ],
    )
