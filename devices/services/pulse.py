"""The bridge's own pulse, which /readyz reads."""

from datetime import datetime

from devices.models import BridgeHeartbeat


def bridge_beat(
    *,
    bridge: str,
    connected: bool,
    last_processed_at: datetime | None,
    processed: int = 0,
    refused: int = 0,
    now: datetime,
) -> None:
    """Note that a bridge process is alive, and when it last processed a message."""
    BridgeHeartbeat.objects.update_or_create(
        id=bridge,
        defaults={
            "connected": connected,
            "last_processed_at": last_processed_at,
            "processed": processed,
            "refused": refused,
            "at": now,
        },
    )
