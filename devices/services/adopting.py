"""Strangers come into service: somebody proposes a place and a model, somebody else approves.

Where the settings say so, a technician needs nobody else: the proposal is approved at once.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, Forbidden, NotFound
from base_ops.core.models import Role, Space
from devices import selectors
from devices.domain import lifecycle
from devices.domain.lifecycle import Deed, Stage
from devices.models import Adoption, Device, DeviceModel, Place
from devices.models.lifecycle import AdoptionStatus
from devices.services import announce, living, placing

DECIDERS = frozenset({Role.MANAGER, Role.ADMIN})


class NoSuchAdoption(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_adoption", "没有此入网申请", "No such proposal"


class AdoptionDecided(Conflict):
    """Somebody decided it before."""

    code, title_zh, title_en = "adoption_decided", "该申请已处理", "Already decided"


class AlreadyProposed(Conflict):
    """An open proposal for this device waits; withdraw or decide it first."""

    code, title_zh, title_en = "already_proposed", "该设备已有待批申请", "A proposal is waiting"


class OwnProposal(Forbidden):
    """Two pairs of eyes: whoever proposed it does not approve it."""

    code, title_zh, title_en = "own_proposal", "不能审批自己的申请", "Not one's own proposal"


@dataclass(frozen=True, slots=True)
class AdoptionWish:
    """Where a stranger is to serve, and as what."""

    model: DeviceModel
    space: Space
    place_code: str
    role: str
    why: str


def propose_adoption(*, code: str, wish: AdoptionWish, actor: Actor, now: datetime) -> Adoption:
    """Propose to take a stranger into service; in force at once where nobody must approve.

    Raises:
        living.UnknownDevice, lifecycle.NotPossible, AlreadyProposed; placing.PlaceTaken,
        placing.PlaceElsewhere: the place is not free for it.
    """
    with transaction.atomic():
        device = living.locked(code)
        lifecycle.after(Stage(device.status), Deed.ADOPT)
        if device.adoptions.filter(status=AdoptionStatus.PROPOSED).exists():
            raise AlreadyProposed(device.code)
        placing.check_free(_place(wish))
        row = Adoption.objects.create(
            device=device,
            model=wish.model,
            space=wish.space,
            place_code=wish.place_code,
            role=wish.role,
            why=wish.why,
            proposed_by=actor.label,
            proposed_by_id=actor.id,
            proposed_at=now,
        )
        _record(row, "adoption.propose", actor, now)
        changes = announce.Changes()
        if selectors.registry_settings().adoption_needs_approval:
            living.note(changes, device.code, device.status, now)
        else:
            _adopt(row, device, actor=actor, why=wish.why, now=now, changes=changes)
        announce.tell(changes, now=now)
    return row


def approve_adoption(*, adoption_id: int, actor: Actor, why: str, now: datetime) -> Adoption:
    """Take the stranger into service as proposed.

    Raises:
        NoSuchAdoption, AdoptionDecided, OwnProposal; placing.PlaceTaken, placing.PlaceElsewhere:
        the place was taken meanwhile.
    """
    with transaction.atomic():
        row, device = _locked(adoption_id)
        if row.proposed_by_id == actor.id:
            raise OwnProposal(row.proposed_by)
        changes = announce.Changes()
        _adopt(row, device, actor=actor, why=why, now=now, changes=changes)
        announce.tell(changes, now=now)
    return row


def refuse_adoption(*, adoption_id: int, actor: Actor, why: str, now: datetime) -> Adoption:
    """Turn a proposal down; the stranger waits on. Whoever proposed it withdraws it.

    Raises:
        NoSuchAdoption, AdoptionDecided.
    """
    with transaction.atomic():
        row, device = _locked(adoption_id)
        own = row.proposed_by_id == actor.id
        if not own and actor.role not in DECIDERS:
            raise Forbidden("managers decide; others withdraw what they proposed")
        row.status = AdoptionStatus.WITHDRAWN if own else AdoptionStatus.REFUSED
        row.decided_by, row.decided_at, row.decided_why = actor.label, now, why
        row.save()
        _record(row, f"adoption.{'withdraw' if own else 'refuse'}", actor, now)
        changes = announce.Changes()
        living.note(changes, device.code, device.status, now)
        announce.tell(changes, now=now)
    return row


def _locked(adoption_id: int) -> tuple[Adoption, Device]:
    found = Adoption.objects.filter(pk=adoption_id).select_related("device").first()
    if found is None:
        raise NoSuchAdoption(str(adoption_id))
    device = living.locked(found.device.code)
    rows = Adoption.objects.select_for_update(of=("self",)).select_related("model", "space")
    row = rows.get(pk=adoption_id)
    if row.status != AdoptionStatus.PROPOSED:
        raise AdoptionDecided(f"{row.status} by {row.decided_by}")
    row.device = device
    return row, device


def _adopt(
    row: Adoption,
    device: Device,
    *,
    actor: Actor,
    why: str,
    now: datetime,
    changes: announce.Changes,
) -> None:
    wish = AdoptionWish(row.model, row.space, row.place_code, row.role, row.why)
    place = _place(wish)
    placing.mount(device, place, by=actor.label, why=wish.why, now=now)
    device.model = wish.model
    living.step(device, Deed.ADOPT, actor=actor, why=why, now=now, changes=changes, place=place)
    row.refresh_from_db()
    _record(row, "adoption.approve", actor, now)


def _place(wish: AdoptionWish) -> Place:
    return placing.place_named(
        code=wish.place_code, space=wish.space, kind=wish.model.kind, role=wish.role
    )


def _record(row: Adoption, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="adoption",
        object_code=str(row.pk),
        after={
            "device": row.device.code,
            "model": row.model.code,
            "space": row.space.code,
            "place": row.place_code,
            "status": row.status,
        },
        now=now,
    )
