"""The bridge's own pulse, which /readyz reads."""

from collections.abc import Mapping
from datetime import datetime

from devices.models import BridgeHeartbeat


def bridge_beat(
    *,
    bridge: str,
    connected: bool,
    last_processed_at: datetime | None,
    processed: int = 0,
    refused: Mapping[str, int] | None = None,
    now: datetime,
) -> None:
    """Note that a bridge process is alive, and when it last processed a message.

    `refused` counts the messages it refused, by reason.
    """
    reasons = dict(refused or {})
    BridgeHeartbeat.objects.update_or_create(
        id=bridge,
        defaults={
            "connected": connected,
            "last_processed_at": last_processed_at,
            "processed": processed,
            "refused": sum(reasons.values()),
            "reasons": reasons,
            "at": now,
        },
    )
