"""Who may listen to which topic: apps register when they are ready."""

from collections.abc import Callable

from base_ops.core.models.people import User

Rule = Callable[[User, str], bool]
_rules: dict[str, Rule] = {}


def register(topic: str, allow: Rule) -> None:
    """Let `allow(user, topic)` decide for this topic, or for all below when it ends in "."."""
    _rules[topic] = allow


def allowed(user: User, topic: str) -> bool:
    """Whether the user may listen; the longest match that is registered decides, without: no."""
    if "\x00" in topic:
        return False
    match = max((r for r in _rules if _covers(r, topic)), key=len, default=None)
    return match is not None and _rules[match](user, topic)


def _covers(registered: str, topic: str) -> bool:
    return topic.startswith(registered) if registered.endswith(".") else topic == registered
