"""What there is to borrow, and how much of it is free."""

from datetime import datetime
from typing import Any

from base_ops.core.spans import Span
from booking.domain.slots import Buffers
from booking.models import EquipmentPool
from booking.selectors.taking import ask_taken_in_pools


def pools(*, window: Span | None, now: datetime, code: str | None = None) -> list[dict[str, Any]]:
    """Every pool (or the one named) with its things; free ones are counted for `window`."""
    rows = EquipmentPool.objects.select_related("home").prefetch_related("units")
    found = list(rows.filter(code=code) if code else rows)
    blocks = {p.pk: _buffers(p).block(window) for p in found} if window else {}
    takings = {}
    if blocks:
        around = Span(min(b.start for b in blocks.values()), max(b.end for b in blocks.values()))
        asked = ask_taken_in_pools(pool_ids=list(blocks), window=around, now=now)
        takings = asked.by_resource()
    return [
        {
            "code": pool.code,
            "name_zh": pool.name_zh,
            "name_en": pool.name_en,
            "home": pool.home.code if pool.home else None,
            "service_code": pool.service_code,
            "setup_min": pool.setup_min,
            "teardown_min": pool.teardown_min,
            "in_service": sum(unit.in_service for unit in pool.units.all()),
            "free": _free(pool, blocks[pool.pk], takings.get(pool.pk, [])) if window else None,
            "units": list(pool.units.all()),
            "version": pool.version,
        }
        for pool in found
    ]


def _buffers(pool: EquipmentPool) -> Buffers:
    return Buffers.of_minutes(pool.setup_min, pool.teardown_min)


def _free(pool: EquipmentPool, block: Span, takings: list[Any]) -> int:
    busy = {t.unit for t in takings if t.span.overlaps(block)}
    return sum(u.in_service and u.number not in busy for u in pool.units.all())
