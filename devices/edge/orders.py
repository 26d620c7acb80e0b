"""Reading a `cmd` as a device does: strictly, never twice, and never outside its right."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from devices.domain.messages import AckStatus

REMEMBERED = 256
FENCES = 64


class Fence(msgspec.Struct, frozen=True, omit_defaults=True):
    """The right an order rests on: which, its epoch, and when it ends (ms)."""

    grant: int
    epoch: int
    until: int


class Order(msgspec.Struct, frozen=True):
    """One command as it came over the wire."""

    id: str
    exp: int
    op: str
    state: dict[str, Any]
    if_v: int | None = None
    actor: str | None = None
    booking: str | None = None
    fence: Fence | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a device says to a command."""

    order_id: str
    st: AckStatus
    code: str = ""
    v: int | None = None

    def as_json(self) -> Mapping[str, Any]:
        """The payload of `ack`."""
        body = {"id": self.order_id, "st": self.st, "code": self.code or None, "v": self.v}
        return {key: value for key, value in body.items() if value is not None}


_read = msgspec.json.Decoder(Order).decode


def read(payload: bytes) -> Order | None:
    """The order, or None when the bytes are none."""
    try:
        return _read(payload)
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True)
class Memory:
    """What a device must not forget: the last orders and how each ended, and the rights it saw.

    An order delivered twice is carried out once; one of a right that was taken back and given
    anew is not carried out for the old one.
    """

    _answers: OrderedDict[str, Answer] = field(default_factory=OrderedDict)
    _epochs: OrderedDict[int, int] = field(default_factory=OrderedDict)

    def recall(self, order_id: str) -> Answer | None:
        """What to answer to an order that we know: as before, but `duplicate` if it was done."""
        known = self._answers.get(order_id)
        if known is None or known.st != "done":
            return known
        return Answer(order_id, "duplicate", v=known.v)

    def keep(self, answer: Answer) -> None:
        """Remember the latest answer to an order."""
        self._answers[answer.order_id] = answer
        self._answers.move_to_end(answer.order_id)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)

    def forget(self, order_id: str) -> None:
        """It was never begun."""
        self._answers.pop(order_id, None)

    def fenced(self, order: Order, now_ms: int) -> Answer | None:
        """Refuse an order whose right has ended, or was taken back since; note the newest."""
        if (fence := order.fence) is None:
            return None
        if fence.until <= now_ms:
            return Answer(order.id, "expired", "right_ended")
        if fence.epoch < self._epochs.get(fence.grant, 0):
            return Answer(order.id, "rejected", "fenced")
        self._epochs[fence.grant] = fence.epoch
        self._epochs.move_to_end(fence.grant)
        while len(self._epochs) > FENCES:
            self._epochs.popitem(last=False)
        return None

    def dump(self) -> dict[str, Any]:
        """As JSON, for a device that keeps it over a restart."""
        answers = [msgspec.to_builtins(answer) for answer in self._answers.values()]
        return {"answers": answers, "epochs": list(self._epochs.items())}

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Memory":
        """Of `dump`; what was under way then is over, and nobody saw how it ended.

        Raises:
            ValueError: it is none.
        """
        answers = msgspec.convert(kept.get("answers", []), list[Answer])
        epochs = msgspec.convert(kept.get("epochs", []), list[tuple[int, int]])
        ended = [
            Answer(a.order_id, "failed", "interrupted") if a.st == "accepted" else a
            for a in answers
        ]
        return cls(OrderedDict((a.order_id, a) for a in ended), OrderedDict(epochs))
