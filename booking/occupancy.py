"""Keeps the occ.* topics true: reads, projects (booking.domain.occupancy), publishes what differs.

Called as the last thing in the transactions that change a space, when the bridge reports an edge,
and every second for the edges that time alone causes. What was published last is the live topic
itself, so nothing is kept here and any process may do it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.range import TimestamptzRange

from base_ops.core import live
from base_ops.core.models import LiveTopic, Space, Tenant
from base_ops.core.spans import Span
from booking import selectors
from booking.domain.occupancy import Block, Health, Occ, Place, Show, Who, project
from booking.models import Allocation, Booking, LateStart
from devices import selectors as devices

LOOKAHEAD = timedelta(hours=12)
_LOOKBACK = timedelta(hours=4)  # an overrun show is still shown after its block
_LOCK = 7_262_001
_TENANT = "occ.tenant."
Values = dict[str, dict[str, dict[str, Any] | None]]


def refresh(*, space_ids: Collection[int], now: datetime) -> None:
    """Publish what changed of these spaces; last statement of the caller's transaction."""
    _refresh(list(Space.objects.select_related("type").filter(pk__in=space_ids)), now)


def refresh_all(*, now: datetime) -> None:
    """Publish what changed anywhere; cheap when nothing did."""
    _refresh(list(Space.objects.select_related("type")), now)


def _refresh(spaces: list[Space], now: datetime) -> None:
    """Look; when something differs, take turns, look again and publish.

    Without the turns, an older view could overwrite a newer one that committed in between.
    """
    if not spaces or not _differences(spaces, now):
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if changes := _differences(spaces, now):
            live.publish(changes, now=now)


def snapshot(*, now: datetime) -> dict[str, Occ]:
    """Every space at `now`, by code; a beginning that facts do not tell is the one last shown."""
    shown = _published().get("occ.public", {})
    occs = _project(list(Space.objects.select_related("type")), now)
    return {code: _dated(occ, shown.get(code), now) for code, occ in occs.items()}


def _dated(occ: Occ, shown: Mapping[str, Any] | None, now: datetime) -> Occ:
    if occ.since is not None:
        return occ
    return replace(occ, since=datetime.fromisoformat(_since(shown, occ.public(), now)))


def _differences(spaces: list[Space], now: datetime) -> Values:
    """What each topic lacks, by topic and space code; None unsets."""
    occs = _project(spaces, now)
    published = _published()
    changes: Values = defaultdict(dict)
    for code, occ in occs.items():
        for topic, value in _values(code, occ, published).items():
            before = published.get(topic, {}).get(code)
            if value is None:
                if before is not None:
                    changes[topic][code] = None
            elif before is None or _changed(before, value):
                changes[topic][code] = value | {
                    "since": value["since"] or _since(before, value, now),
                    "at": now.isoformat(),
                }
    return {topic: values for topic, values in changes.items() if values}


def _published() -> dict[str, dict[str, Any]]:
    """The state of every occupancy topic, in one query."""
    rows = LiveTopic.objects.filter(name__startswith="occ.").values_list("name", "state")
    return dict(rows)


def _values(
    code: str, occ: Occ, published: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any] | None]:
    """The space as each audience sees it.

    A tenant's topic holds only the spaces where it has something now or next (None: no longer);
    the rest a tenant reads from occ.public.
    """
    public = occ.public()
    values: dict[str, dict[str, Any] | None] = {
        "occ.public": public,
        "occ.gov": public,
        "occ.ops": occ.full(),
    }
    holding = {
        topic.removeprefix(_TENANT)
        for topic, state in published.items()
        if topic.startswith(_TENANT) and code in state
    }
    for tenant in holding | occ.tenant_codes:
        own = occ.seen_by(tenant) if tenant in occ.tenant_codes else None
        values[_TENANT + tenant] = own
    return values


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether anything but the ages differs; a `since` we do not know is not a difference."""
    ignored = {"at"} if after["since"] else {"at", "since"}
    return {k: v for k, v in before.items() if k not in ignored} != {
        k: v for k, v in after.items() if k not in ignored
    }


def _since(before: Mapping[str, Any] | None, after: Mapping[str, Any], now: datetime) -> str:
    """When this status began, as far as was seen."""
    if before is not None and before.get("status") == after["status"] and before.get("since"):
        return str(before["since"])
    return now.isoformat()


def _project(spaces: list[Space], now: datetime) -> dict[str, Occ]:
    ids = [space.pk for space in spaces]
    blocks = _blocks(ids, now)
    health = devices.space_health(ids, now)
    encoders = selectors.encoders_known(now)
    return {
        space.code: project(
            Place(space.code, space.pk in encoders, space.unit_count),
            blocks[space.pk],
            _health(health[space.pk], link_known=encoders.get(space.pk, True)),
            now,
        )
        for space in spaces
    }


def _health(seen: devices.SpaceHealth, *, link_known: bool) -> Health:
    return Health(
        total=seen.total,
        online=seen.online,
        stale=seen.stale,
        offline=seen.offline,
        alarms=seen.alarms,
        on_air=seen.on_air,
        on_air_since=seen.on_air_since,
        link_known=link_known,
    )


def _blocks(space_ids: list[int], now: datetime) -> dict[int, list[Block]]:
    """What takes the spaces from a little before `now` until the lookahead; one query."""
    window = TimestamptzRange(now - _LOOKBACK, now + LOOKAHEAD, "[)")
    rows = (
        selectors.active(now)
        .filter(space_id__in=space_ids, block__overlap=window)
        .select_related("booking__tenant", "booking__late_start", "lease__tenant")
        .defer("booking__quote")
    )
    found: dict[int, list[Block]] = defaultdict(list)
    for row in rows:
        if row.space_id is not None:
            found[row.space_id].append(_block(row))
    return found


def _block(row: Allocation) -> Block:
    show = _show(row.booking) if row.booking else None
    lessee = _who(row.lease.tenant) if row.lease else None
    return Block(row.span, row.kind, show, lessee, row.unit)


def _show(booking: Booking) -> Show:
    end = booking.until
    if booking.status == "completed" and booking.ended_at is not None:
        end = max(booking.ended_at, booking.starts_at + timedelta(seconds=1))
    return Show(
        code=booking.code,
        tenant=_who(booking.tenant),
        title=booking.title,
        span=Span(booking.starts_at, end),
        status=booking.status,
        prepared=booking.prepared_at is not None,
        ready=booking.ready or None,
        reasons=tuple(booking.ready_reasons),
        warned=booking.warned_min,
        late_until=_late_until(booking),
    )


def _late_until(booking: Booking) -> datetime | None:
    """When the room may be free at the soonest, while the show before still runs."""
    late: LateStart | None = getattr(booking, "late_start", None)
    return late.expected_at if late is not None and late.freed_at is None else None


def _who(tenant: Tenant) -> Who:
    return Who(tenant.code, tenant.name_zh, tenant.name_en, tenant.short_zh)
