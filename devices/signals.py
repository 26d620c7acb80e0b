"""Facts that go up: whoever stands above may listen."""

from django.dispatch import Signal

# Sent inside the transaction that changed what a space shows (on air, links, alarms), after its
# own live changes: sender=None, space_ids: set[int], now: datetime.
space_changed = Signal()
