"""What the devices say of spaces: who streams, whose encoder is silent."""

from datetime import datetime

from base_ops.core.models import Space
from devices import selectors as devices
from devices.domain.shadow import Link, link_at
from devices.models import Device


def streaming_encoders(space: Space) -> list[Device]:
    """The encoders of a space that stream, or are about to."""
    rows = Device.objects.filter(space=space, kind="encoder", status="active")
    return list(rows.filter(shadow__reported__run__in=["starting", "live"]))


def on_air(now: datetime) -> set[int]:
    """Spaces that stream, or may stream unseen because their encoder fell silent mid-show."""
    seen = devices.on_air_space_ids()
    lost = set(Space.objects.filter(bookable=True).values_list("pk", flat=True)) - seen
    unseen = devices.on_air_of(lost, now=now).items()
    return seen | {space_id for space_id, show in unseen if show.holds(now)}


def encoders_known(now: datetime) -> dict[int, bool]:
    """The spaces with an encoder in service, and whether one of them is online."""
    rows = Device.objects.filter(kind="encoder", status="active").values_list(
        "space_id", "shadow__link", "shadow__last_seen_at"
    )
    known: dict[int, bool] = {}
    for space_id, link, seen_at in rows:
        if space_id is not None:
            online = link_at(Link(link or Link.UNKNOWN), seen_at, now) is Link.ONLINE
            known[space_id] = known.get(space_id, False) or online
    return known
