"""Rights to live topics: a whole name matches itself only, a prefix what is below it."""

import pytest

from base_ops.core.live import rights
from base_ops.core.models import Role, User

READER = User(role=Role.ADMIN)


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules of our own, the longest match decides."""
    monkeypatch.setattr(rights, "_rules", {})
    for topic in ("occ.public", "alarms", "space."):
        rights.register(topic, lambda *_: True)
    rights.register("space.closed.", lambda *_: False)


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("occ.public", True),
        ("occ.public.x", False),
        ("occ.publicity", False),
        ("occ", False),
        ("alarms", True),
        ("alarms2", False),
        ("space.A01", True),
        ("space.closed.A01", False),
        ("space.A\x00", False),
        ("space", False),
        ("", False),
    ],
)
def test_who_may_listen(topic: str, allowed: bool) -> None:
    assert rights.allowed(READER, topic) is allowed
