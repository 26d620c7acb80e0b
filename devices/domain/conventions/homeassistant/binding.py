"""One device of Home Assistant discovery, bound: its messages become ours, ours its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from devices.domain import capabilities, messages
from devices.domain.capabilities import BadState
from devices.domain.conventions.convention import Documents, Fault, Heard, Memory
from devices.domain.conventions.homeassistant import discovery, keys
from devices.domain.conventions.homeassistant.availability import Source
from devices.domain.conventions.homeassistant.entity import At, Cell, Entity
from devices.domain.conventions.homeassistant.listening import Listeners, Payloads, Run, matches
from devices.domain.conventions.homeassistant.readings import Camera, Sensor
from devices.domain.conventions.homeassistant.templates import BadTemplate
from devices.domain.conventions.lamp import check
from devices.domain.conventions.refusal import BadDiscovery, CodecError, printable
from devices.domain.conventions.wire import Published

MAX_BYTES = 64 * 1024
_IDENTITY = "homeassistant"


@dataclass(frozen=True, slots=True)
class View:
    """One entity as it stands, for people and tests; `parts` include what is assumed."""

    platform: str
    uid: str
    key: str
    name: str
    available: bool
    parts: Mapping[str, Any]
    assumed: bool
    attributes: Mapping[str, Any]


class HomeAssistantDevice:
    """See `convention.Binding`.

    Its memory: `session`, `v`, `link` (online, offline or unknown), `line` (whether the broker is
    there), `said` (of availability, by source), `cells` (by entity), `told` (the last state).
    """

    def __init__(self, documents: Documents, device: str) -> None:
        self._device = device
        self._entities = _entities(documents)
        self._uids = [f"{e.identity.platform}/{e.identity.uid}" for e in self._entities]
        self._keys, self._names = keys.name(self._entities)
        self._sources = {
            source.key: source for e in self._entities for source in e.availability.sources
        }
        self._exact: dict[str, Listeners] = {}
        self._wild: list[tuple[list[str], Listeners]] = []
        self._index()

    def _index(self) -> None:
        filters: dict[str, Listeners] = {}
        for key, source in self._sources.items():
            filters.setdefault(source.topic, Listeners()).sources.append((key, source))
        for place, entity in enumerate(self._entities):
            for topic, slot in entity.slots:
                filters.setdefault(topic, Listeners()).slots.append((place, slot))
        self._filters = frozenset(filters)
        for topic, listeners in filters.items():
            if "+" in topic or "#" in topic:
                self._wild.append((topic.split("/"), listeners))
            else:
                self._exact[topic] = listeners

    @property
    def topics(self) -> frozenset[str]:
        """The filters on which it speaks."""
        return self._filters

    @property
    def capabilities(self) -> capabilities.Table:
        """What it may be told."""
        return {key: found.rule for key, found in self._keys.items() if found.rule is not None}

    # --- memory -------------------------------------------------------------------------------

    def begin(self, now_ms: int) -> Memory:
        """Nothing known yet."""
        cells = {uid: e.begins for uid, e in zip(self._uids, self._entities, strict=True)}
        return {
            "session": f"{_IDENTITY}-{now_ms}",
            "v": 0,
            "link": "unknown",
            "line": True,
            "said": {},
            "cells": cells,
            "told": None,
        }

    def resume(self, memory: Memory, now_ms: int) -> Memory:
        """What still exists keeps what it knew."""
        fresh = self.begin(now_ms)
        cells = memory["cells"]
        said = {key: at for key, at in memory["said"].items() if key in self._sources}
        kept = {uid: cells.get(uid, cell) for uid, cell in fresh["cells"].items()}
        return {**memory, "cells": kept, "said": said}

    # --- hearing ------------------------------------------------------------------------------

    def heard(
        self, memory: Memory, topic: str, payload: bytes, *, retained: bool, now_ms: int
    ) -> Heard:
        """What it says.

        Raises:
            CodecError: and nothing else, whatever topic and payload are.
        """
        if len(payload) > MAX_BYTES:
            raise CodecError("too-long")
        listeners = self._listeners(topic)
        if not listeners:
            raise CodecError("unknown-topic")
        run = Run(Payloads(payload), now_ms, retained, [])
        said, cells = dict(memory["said"]), dict(memory["cells"])
        events: list[messages.Incoming] = []
        metrics: dict[str, float] = {}
        for group in listeners:
            for key, source in group.sources:
                self._hear_source(said, key, source, run)
            for place, slot in group.slots:
                self._hear_slot(cells, place, slot, run, events, metrics)
        after = {**memory, "line": True, "said": said, "cells": cells}
        heard = self._settled(after, now_ms, retained=retained, spoke=True)
        tele = self._tele(metrics, now_ms) if not retained else []
        return Heard(heard.memory, (*heard.said, *tele, *events), tuple(run.faults))

    def _listeners(self, topic: str) -> list[Listeners]:
        found = [self._exact[topic]] if topic in self._exact else []
        if self._wild:
            parts = topic.split("/")
            found += [group for pattern, group in self._wild if matches(pattern, parts)]
        return found

    def _hear_source(self, said: dict[str, Any], key: str, source: Source, run: Run) -> None:
        payload = run.payloads.text("utf-8")
        if payload is None:
            run.faults.append(Fault("availability", "bad-value", "not UTF-8"))
            return
        try:
            there = source.reads(payload, now_ms=run.now_ms)
        except BadTemplate as exc:
            run.faults.append(Fault("availability", "bad-template", printable(str(exc))))
            return
        if there is not None:
            count = max((int(n) for _, n in said.values()), default=0) + 1
            said[key] = [there, count]

    def _hear_slot(
        self,
        cells: dict[str, Cell],
        place: int,
        slot: str,
        run: Run,
        events: list[messages.Incoming],
        metrics: dict[str, float],
    ) -> None:
        entity, uid = self._entities[place], self._uids[place]
        payload = run.payloads.text(entity.encoding)
        if payload is None:
            run.faults.append(Fault(uid, "bad-value", f"not {entity.encoding}"))
            return
        at = At(run.now_ms, run.retained)
        before = cells[uid]
        cells[uid] = after = entity.hear(before, slot, payload, at)
        run.faults.extend(Fault(uid, reason, why) for reason, why in at.faults)
        called = self._names[place] or entity.identity.object_id
        events += [
            messages.Event(self._device, run.now_ms, name, {**data, "entity": called})
            for name, data in at.events
        ]
        if isinstance(entity, Sensor) and entity.measures and after is not before:
            self._measure(entity, called, after.get("value"), metrics)

    @staticmethod
    def _measure(entity: Sensor, called: str, value: Any, metrics: dict[str, float]) -> None:
        if isinstance(value, int | float):
            name, factor = entity.metric or (called, 1.0)
            measured = float(value) * factor
            if isfinite(measured):
                metrics[called if name in metrics else name] = measured

    def _tele(self, metrics: dict[str, float], now_ms: int) -> list[messages.Incoming]:
        fitting = dict(sorted(metrics.items())[:64])
        return [messages.Tele(self._device, now_ms, fitting)] if fitting else []

    def due_ms(self, memory: Memory) -> int | None:
        """When a value expires or falls back."""
        cells = memory["cells"]
        pairs = zip(self._entities, self._uids, strict=True)
        due = (entity.due_ms(cells[uid]) for entity, uid in pairs)
        return min((at for at in due if at is not None), default=None)

    def passed(self, memory: Memory, now_ms: int) -> Heard:
        """What changed because time passed."""
        cells = memory["cells"]
        pairs = zip(self._entities, self._uids, strict=True)
        after = {uid: entity.passed(cells[uid], now_ms) for entity, uid in pairs}
        return self._settled({**memory, "cells": after}, now_ms, retained=False, spoke=False)

    def lost(self, memory: Memory, now_ms: int) -> Heard:
        """No word of presence holds any more."""
        return Heard({**memory, "said": {}, "line": False, "link": "unknown"})

    def vouched(self, memory: Memory, now_ms: int) -> messages.Status | None:
        """That its availability topic still says online."""
        if memory["link"] != "online":
            return None
        return messages.Status(self._device, True, memory["session"], now_ms)

    def _settled(self, memory: Memory, now_ms: int, *, retained: bool, spoke: bool) -> Heard:
        """With what its presence and its values now amount to."""
        said: list[messages.Incoming] = []
        link = self._link(memory)
        if link != memory["link"]:
            memory = {**memory, "link": link}
            if link == "online":
                session = f"{_IDENTITY}-{now_ms}"
                if session == memory["session"] and memory["v"]:
                    session = f"{session}-{memory['v']}"
                memory = {**memory, "session": session, "v": 0, "told": None}
            online = link == "online"
            said.append(messages.Status(self._device, online, memory["session"], now_ms, retained))
        if self._sources and link != "online":
            return Heard(memory, said)
        state = self._state(memory, now_ms)
        if state == memory["told"]:
            if not spoke:
                return Heard(memory, said)
        else:
            memory = {**memory, "told": state, "v": memory["v"] + 1}
        if state:
            said.append(
                messages.State(
                    self._device,
                    memory["v"],
                    memory["session"],
                    now_ms,
                    state,
                    retained=retained and not self._sources,
                )
            )
        return Heard(memory, said)

    def _link(self, memory: Memory) -> str:
        """Online when any entity that says so is there; offline when some source denies it."""
        said = memory["said"]
        watched = [e.availability for e in self._entities if e.availability.sources]
        if any(one.holds(said) for one in watched):
            return "online"
        if any(not there for there, _ in said.values()):
            return "offline"
        return "unknown"

    def _state(self, memory: Memory, now_ms: int) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for place, entity in enumerate(self._entities):
            cell = memory["cells"][self._uids[place]]
            there = self._is_there(entity, cell, memory, now_ms)
            for part, value in entity.shown(cell).items():
                key = keys.of(entity, self._names[place], part)
                state[key] = value if there else None
        return state

    def _is_there(self, entity: Entity, cell: Cell, memory: Memory, now_ms: int) -> bool:
        return (
            bool(memory["line"])
            and entity.availability.holds(memory["said"])
            and entity.is_there(cell, now_ms)
        )

    # --- telling ------------------------------------------------------------------------------

    def encode(
        self, memory: Memory, command: messages.Outgoing, now_ms: int
    ) -> Sequence[Published]:
        """The messages of a command, in order.

        Raises:
            BadState, NotControllable: it cannot be told this.
        """
        check(command.state, self.capabilities)
        if command.if_v is not None and command.if_v != memory["v"]:
            raise BadState(f"its state is at version {memory['v']} now")
        at = At(now_ms)
        outs = []
        for place, parts in self._by_entity(command.state).items():
            entity = self._entities[place]
            outs += entity.tell(memory["cells"][self._uids[place]], parts, at)
        if not outs:
            raise BadState("there is nothing to tell it")
        return [
            Published(o.topic, o.payload.encode(), command.expires_at, qos=o.qos) for o in outs
        ]

    def _by_entity(self, state: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        told: dict[int, dict[str, Any]] = {}
        for key, value in state.items():
            found = self._keys[key]
            told.setdefault(found.entity, {})[found.part] = value
        return told

    def sent(self, memory: Memory, command: messages.Outgoing, now_ms: int) -> Heard:
        """What is assumed from now on, where nothing tells; it stays out of the reported state."""
        cells = dict(memory["cells"])
        known = {k: v for k, v in command.state.items() if k in self._keys}
        for place, parts in self._by_entity(known).items():
            uid = self._uids[place]
            cells[uid] = self._entities[place].told(cells[uid], parts)
        return Heard({**memory, "cells": cells})

    def observed(self, memory: Memory, command: messages.Outgoing) -> bool | None:
        """Whether it reports what the command asks; None where it reports none of it."""
        verdicts = []
        known = {k: v for k, v in command.state.items() if k in self._keys}
        for place, parts in self._by_entity(known).items():
            entity, cell = self._entities[place], memory["cells"][self._uids[place]]
            awaited = entity.awaited(parts)
            verdicts += [entity.follows(cell, part, wanted) for part, wanted in awaited.items()]
        seen = [verdict for verdict in verdicts if verdict is not None]
        return all(seen) if seen else None

    # --- looking ------------------------------------------------------------------------------

    def views(self, memory: Memory, now_ms: int) -> list[View]:
        """Each entity as it stands."""
        found = []
        for place, entity in enumerate(self._entities):
            cell = memory["cells"][self._uids[place]]
            there = self._is_there(entity, cell, memory, now_ms)
            shown, assumed = entity.shown(cell), entity.assumed(cell)
            found.append(
                View(
                    entity.identity.platform,
                    entity.identity.uid,
                    self._names[place],
                    entity.name,
                    there,
                    {**assumed, **shown} if there else {},
                    bool(assumed),
                    cell.get("attributes", {}),
                )
            )
        return found

    def pictures(self, topic: str, payload: bytes) -> dict[str, bytes]:
        """The pictures in a message, by the key of the camera."""
        found = {}
        for place, entity in enumerate(self._entities):
            if isinstance(entity, Camera) and entity.topic == topic:
                picture = entity.picture(payload)
                if picture is not None:
                    found[self._names[place]] = picture
        return found

    def keys_of(self, platform: str, uid: str) -> Mapping[str, str]:
        """The keys by which an entity is told, by part."""
        place = self._uids.index(f"{platform}/{uid}")
        return {found.part: key for key, found in self._keys.items() if found.entity == place}


def _entities(documents: Documents) -> list[Entity]:
    """All entities of the documents; what is announced twice counts once."""
    found: dict[str, Entity] = {}
    for topic in sorted(documents):
        document = documents[topic]
        for entity in discovery.build(document, str(document.get("place", ""))):
            if entity.enabled:
                found.setdefault(f"{entity.identity.platform}/{entity.identity.uid}", entity)
    if len(found) > discovery.MAX_COMPONENTS:
        raise BadDiscovery("", f"a device has at most {discovery.MAX_COMPONENTS} entities")
    return list(found.values())
