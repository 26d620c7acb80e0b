"""Who may listen to which topic: apps register their prefixes when they are ready."""

from collections.abc import Callable

from base_ops.core.models.people import User

Rule = Callable[[User, str], bool]
_rules: dict[str, Rule] = {}


def register(prefix: str, allow: Rule) -> None:
    """Let `allow(user, topic)` decide for topics that start with `prefix`."""
    _rules[prefix] = allow


def allowed(user: User, topic: str) -> bool:
    """Whether the user may listen; the longest registered prefix decides, without one: no."""
    prefix = max((p for p in _rules if topic.startswith(p)), key=len, default=None)
    return prefix is not None and _rules[prefix](user, topic)
