"""What booking tells, one function per event; each leaves one row in the caller's transaction.

Rows passed in come with their space and tenant, so that telling asks the database nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from base_ops.core import notifications
from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space, Tenant
from booking.domain.states import Deed, Status
from booking.models import Booking, Lease, Series


def names(thing: Space | Tenant) -> dict[str, str]:
    """A name in both languages."""
    return {"zh": thing.name_zh, "en": thing.name_en}


def _tell_tenant(
    booking: Booking, kind: str, *, fact: str = "", now: datetime, **params: Any
) -> None:
    """Tell the booking's tenant; `fact` tells apart what may happen more than once."""
    notifications.tell(
        kind=kind,
        audience=notifications.TenantPeople(booking.tenant_id),
        params={"booking": booking.code, "space": names(booking.space), **params},
        dedup=":".join(part for part in (kind, booking.code, fact) if part),
        now=now,
    )


def held(booking: Booking, *, actor: Actor, now: datetime) -> None:
    """Tell whoever placed the hold, or the tenant when the base did."""
    if booking.expires_at is None:
        return
    theirs = actor.kind == "user" and actor.tenant_id == booking.tenant_id
    notifications.tell(
        kind="booking.held",
        audience=notifications.OneUser(int(actor.id))
        if theirs
        else notifications.TenantPeople(booking.tenant_id),
        params={
            "booking": booking.code,
            "space": names(booking.space),
            "starts_at": booking.starts_at,
            "expires_at": booking.expires_at,
        },
        dedup=f"booking.held:{booking.code}",
        now=now,
    )


def confirmed(booking: Booking, *, now: datetime) -> None:
    """The slot is the tenant's."""
    _tell_tenant(
        booking, "booking.confirmed", now=now,
        starts_at=booking.starts_at, ends_at=booking.ends_at, price=booking.price_fen,
    )  # fmt: skip


def approval_needed(booking: Booking, *, reason: str, now: datetime) -> None:
    """Managers decide."""
    notifications.tell(
        kind="booking.pending_approval",
        audience=notifications.roles(Role.MANAGER),
        params={
            "booking": booking.code,
            "tenant": names(booking.tenant),
            "space": names(booking.space),
            "starts_at": booking.starts_at,
            "ends_at": booking.ends_at,
            "reason": reason or "—",
        },
        dedup=f"booking.pending_approval:{booking.code}",
        now=now,
    )


def approved(booking: Booking, *, now: datetime) -> None:
    """A manager said yes."""
    _tell_tenant(
        booking, "booking.approved", now=now,
        starts_at=booking.starts_at, ends_at=booking.ends_at,
    )  # fmt: skip


def rejected(booking: Booking, *, reason: str, now: datetime) -> None:
    """A manager said no."""
    _tell_tenant(
        booking, "booking.rejected", now=now, starts_at=booking.starts_at, reason=reason or "—"
    )


def booked(booking: Booking, *, actor: Actor, now: datetime) -> None:
    """A new booking: held, or confirmed at once."""
    if booking.status == Status.HELD:
        held(booking, actor=actor, now=now)
    elif booking.status == Status.CONFIRMED:
        confirmed(booking, now=now)


def cancelled(booking: Booking, *, reason: str, now: datetime) -> None:
    """The tenant or the base gave the slot back."""
    _tell_tenant(
        booking, "booking.cancelled", now=now, starts_at=booking.starts_at, reason=reason or "—"
    )


def missed(booking: Booking, *, grace_min: int, now: datetime) -> None:
    """Nobody came; the room was released."""
    _tell_tenant(
        booking, "booking.released", now=now, starts_at=booking.starts_at, grace_min=grace_min
    )


def moved(booking: Booking, *, old_space: Space, old_starts_at: datetime, now: datetime) -> None:
    """Another room or time, whoever moved it."""
    _tell_tenant(
        booking, "booking.moved", fact=str(booking.version), now=now,
        old_space=names(old_space), old_starts_at=old_starts_at,
        starts_at=booking.starts_at, ends_at=booking.ends_at,
    )  # fmt: skip


def starts_soon(booking: Booking, *, now: datetime) -> None:
    """The room is being prepared."""
    _tell_tenant(booking, "booking.starts_soon", now=now, starts_at=booking.starts_at)


def ready_red(booking: Booking, *, now: datetime) -> None:
    """The room failed its checks; with an equal free room when there is one."""
    reasons = {
        lang: "; ".join(_reason(reason, lang) for reason in booking.ready_reasons[:5]) or "—"
        for lang in ("zh", "en")
    }
    proposal = booking.proposal
    fact = str(booking.version)
    if proposal is None:
        _tell_tenant(
            booking, "booking.ready_red_no_room", fact=fact, now=now,
            starts_at=booking.starts_at, reasons=reasons,
        )  # fmt: skip
        return
    _tell_tenant(
        booking, "booking.ready_red", fact=fact, now=now,
        starts_at=booking.starts_at, reasons=reasons,
        proposed={"zh": proposal["name_zh"], "en": proposal["name_en"]},
    )  # fmt: skip


def _reason(reason: Mapping[str, Any], language: str) -> str:
    device = f"{reason['device']} " if reason.get("device") else ""
    return f"{device}{reason[language]}"


def ending_soon(booking: Booking, *, minutes: int, now: datetime) -> None:
    """The show cannot run over: so many minutes are left."""
    _tell_tenant(
        booking, "booking.ending_soon", fact=f"{booking.until.isoformat()}:{minutes}", now=now,
        ends_at=booking.until, minutes=minutes,
    )  # fmt: skip


def extended(booking: Booking, *, now: datetime) -> None:
    """The show runs over and the room is free."""
    until = booking.until
    _tell_tenant(booking, "booking.extended", fact=until.isoformat(), now=now, until=until)


def room_late(
    following: Booking,
    *,
    free_at: datetime,
    proposal: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """The show before `following` still runs; its tenant learns when, not who, and what else."""
    if proposal is None:
        _tell_tenant(
            following, "booking.room_late", fact=free_at.isoformat(), now=now,
            starts_at=following.starts_at, free_at=free_at,
        )  # fmt: skip
        return
    _tell_tenant(
        following, "booking.room_late_proposal", fact=free_at.isoformat(), now=now,
        starts_at=following.starts_at, free_at=free_at,
        proposed={"zh": proposal["name_zh"], "en": proposal["name_en"]},
    )  # fmt: skip


def lease_ends(lease: Lease, *, now: datetime) -> None:
    """A lease ends soon and no other follows: its tenant, managers and finance decide."""
    for audience in (
        notifications.TenantPeople(lease.tenant_id),
        notifications.roles(Role.MANAGER, Role.FINANCE),
    ):
        notifications.tell(
            kind="lease.ends_soon",
            audience=audience,
            params={
                "lease": lease.code,
                "tenant": names(lease.tenant),
                "space": names(lease.space),
                "ends_at": lease.span.end,
            },
            dedup=f"lease.ends_soon:{lease.code}",
            now=now,
        )


def waitlist_offer(booking: Booking, *, now: datetime) -> None:
    """A hold that the waitlist made for the tenant."""
    _tell_tenant(
        booking, "waitlist.offer", now=now,
        starts_at=booking.starts_at, ends_at=booking.ends_at, expires_at=booking.expires_at,
    )  # fmt: skip


def waitlist_offer_expired(booking: Booking, *, now: datetime) -> None:
    """The tenant did not take the offer in time."""
    notifications.tell(
        kind="waitlist.offer_expired",
        audience=notifications.TenantPeople(booking.tenant_id),
        params={"space": names(booking.space), "starts_at": booking.starts_at},
        dedup=f"waitlist.offer_expired:{booking.code}",
        now=now,
    )


def series_created(
    *,
    series: str,
    tenant_id: int,
    space: Space,
    made: int,
    skipped: int,
    first_at: datetime,
    now: datetime,
) -> None:
    """A whole series in one notice, instead of one for each session."""
    notifications.tell(
        kind="series.created",
        audience=notifications.TenantPeople(tenant_id),
        params={
            "series": series,
            "space": names(space),
            "made": made,
            "skipped": skipped,
            "first_at": first_at,
        },
        dedup=f"series.created:{series}",
        now=now,
    )


def series_changed(series: Series, *, changed: int, first_at: datetime, now: datetime) -> None:
    """Several sessions of a series are at other times, in another room or otherwise different."""
    _tell_of_series(series, "series.changed", changed=changed, first_at=first_at, now=now)


def series_cancelled(
    series: Series, *, cancelled: int, first_at: datetime, reason: str, now: datetime
) -> None:
    """Several sessions of a series were given back."""
    _tell_of_series(
        series, "series.cancelled", cancelled=cancelled, first_at=first_at, reason=reason or "—",
        now=now,
    )  # fmt: skip


def _tell_of_series(series: Series, kind: str, *, now: datetime, **params: Any) -> None:
    notifications.tell(
        kind=kind,
        audience=notifications.TenantPeople(series.tenant_id),
        params={"series": series.code, "space": names(series.space), **params},
        dedup=f"{kind}:{series.code}:{series.version}",
        now=now,
    )


def handover_problem(booking: Booking, *, note: str, now: datetime) -> None:
    """Managers and technicians look after what a tenant left behind."""
    notifications.tell(
        kind="handover.problem",
        audience=notifications.roles(Role.MANAGER, Role.TECHNICIAN),
        params={
            "booking": booking.code,
            "space": names(booking.space),
            "tenant": names(booking.tenant),
            "note": note or "—",
        },
        dedup=f"handover.problem:{booking.code}:{booking.version}",
        now=now,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of the state table that was just taken."""

    booking: Booking
    was: Status
    actor: Actor
    why: str
    now: datetime


def _given_back(step: _Step) -> None:
    """Who drops a draft or a hold knows it; nobody else had heard of it."""
    if step.was not in (Status.DRAFT, Status.HELD):
        cancelled(step.booking, reason=step.why, now=step.now)


def _lapsed(step: _Step) -> None:
    """A request that nobody decided in time."""
    if step.was == Status.PENDING_APPROVAL:
        why = "开始前未获审批 · not approved before it would have begun"
        rejected(step.booking, reason=why, now=step.now)


_STEPS: Mapping[Deed, Callable[[_Step], None]] = {
    Deed.HOLD: lambda s: held(s.booking, actor=s.actor, now=s.now),
    Deed.REQUEST: lambda s: approval_needed(s.booking, reason=s.why, now=s.now),
    Deed.CONFIRM: lambda s: confirmed(s.booking, now=s.now),
    Deed.APPROVE: lambda s: approved(s.booking, now=s.now),
    Deed.REJECT: lambda s: rejected(s.booking, reason=s.why, now=s.now),
    Deed.CANCEL: _given_back,
    Deed.RELEASE: _given_back,
    Deed.EXPIRE: _lapsed,
}


def step(
    booking: Booking, deed: Deed, *, was: Status, actor: Actor, why: str = "", now: datetime
) -> None:
    """What a step of the state table tells by itself; other steps are told by who takes them."""
    if tell := _STEPS.get(deed):
        tell(_Step(booking, was, actor, why, now))
