"""Every problem code that the API answers: one code, one status, one meaning, two titles."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from base_ops.core import errors
from base_ops.core.problems import STATUS

OURS = frozenset({"base_ops", "booking", "billing", "devices"})
# Kinds that only ever answer as one of their subclasses.
ABSTRACT = frozenset(
    {errors.TooLarge, errors.TooMany, errors.Unavailable, errors.UnsupportedMedia}
)
# Files that are imported, and topics that are given, at the command line are refused there.
ELSEWHERE = frozenset({"importers", "core.faults", "domain.accounts"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One code and what it tells a caller."""

    code: str
    status: HTTPStatus
    title_zh: str
    title_en: str
    meaning: str

    def as_json(self) -> dict[str, object]:
        """For the API's description."""
        return {
            "status": int(self.status),
            "title_zh": self.title_zh,
            "title_en": self.title_en,
            "description": self.meaning,
        }


class Ambiguous(Exception):
    """Two kinds of refusal share a code but not its meaning."""


def entries() -> list[Entry]:
    """All codes in alphabetical order, as far as their modules are imported.

    What only the command line refuses is not among them.

    Raises:
        Ambiguous: a code has two statuses or two pairs of titles.
    """
    found: dict[str, Entry] = {}
    for kind in sorted(_kinds(errors.DomainError), key=lambda k: (k.code, k.__module__)):
        entry = _entry(kind)
        known = found.setdefault(entry.code, entry)
        if (known.status, known.title_zh, known.title_en) != (
            entry.status, entry.title_zh, entry.title_en,
        ):  # fmt: skip
            raise Ambiguous(f"{entry.code}: {known.title_en} and {entry.title_en}")
    return list(found.values())


def _kinds(kind: type[errors.DomainError]) -> Iterator[type[errors.DomainError]]:
    for below in kind.__subclasses__():
        package, _, rest = below.__module__.partition(".")
        if package in OURS and rest not in ELSEWHERE and below not in ABSTRACT:
            yield below
        yield from _kinds(below)


def _entry(kind: type[errors.DomainError]) -> Entry:
    base = next((k for k in kind.__mro__ if k in STATUS), None)
    status = STATUS[base] if base else HTTPStatus.INTERNAL_SERVER_ERROR
    meaning = (kind.__doc__ or "").strip().partition("\n\n")[0]
    return Entry(
        code=kind.code,
        status=status,
        title_zh=kind.title_zh,
        title_en=kind.title_en,
        meaning=" ".join(meaning.split()),
    )
