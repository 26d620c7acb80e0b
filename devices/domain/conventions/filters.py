"""MQTT topic filters: which topics one covers, and the fewest that cover many."""

from collections.abc import Iterable


def covers(pattern: str, topic: str) -> bool:
    """Whether a filter matches a topic, or another filter as a whole."""
    wanted, given = pattern.split("/"), topic.split("/")
    if topic[:1] == "$" and wanted[0] in ("#", "+"):
        return False
    for place, part in enumerate(wanted):
        if part == "#":
            return True
        if place >= len(given):
            return False
        if given[place] == "#" or (part != "+" and part != given[place]):
            return False
    return len(wanted) == len(given)


def fewest(patterns: Iterable[str]) -> frozenset[str]:
    """The filters without those that another one covers."""
    found = sorted(set(patterns))
    return frozenset(p for p in found if not any(o != p and covers(o, p) for o in found))


def is_wild(pattern: str) -> bool:
    """Whether a filter covers more than the topic of its name."""
    return "+" in pattern or "#" in pattern
