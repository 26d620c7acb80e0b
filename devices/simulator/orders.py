"""Reading a `cmd` as a device does: strictly, and never twice."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from devices.domain.messages import AckStatus

REMEMBERED = 256


class Order(msgspec.Struct, frozen=True):
    """One command as it came over the wire."""

    id: str
    exp: int
    op: str
    state: dict[str, Any]
    if_v: int | None = None
    actor: str | None = None
    booking: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
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
    """The last orders and how each ended, so that one delivered twice is carried out once."""

    _answers: OrderedDict[str, Answer] = field(default_factory=OrderedDict)

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
