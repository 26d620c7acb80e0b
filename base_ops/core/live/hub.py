"""One per web process: listens to the database, reads each change once, fans it out.

Sending never waits, so no socket waits for another. While the database is away sockets are told so
by pings (`db: false`); after it is back every topic is compared with it and caught up.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TypeVar

import msgspec
import psycopg
from django.db import Error, close_old_connections

from base_ops.core import clock
from base_ops.core.live import frames, identity, meters, rights
from base_ops.core.live.feed import Feed
from base_ops.core.live.frames import Since, Values
from base_ops.core.live.identity import Caller
from base_ops.core.live.pace import Pace
from base_ops.core.live.socket import Socket
from base_ops.core.live.source import Source, connected

logger = logging.getLogger(__name__)
T = TypeVar("T")

OCCUPANCY_S, DEVICES_S, TELEMETRY_S = 0.25, 0.05, 1.0
TICK_S, HEARTBEAT_S, POLL_S, RECHECK_S, ANSWER_S = 0.5, frames.HEARTBEAT_S, 2.0, 8.0, 5.0
LINGER_S = 60.0
LONGEST_BACKOFF_S = 5.0
_tele = msgspec.json.Decoder(Values)


class _Held:
    """A feed with its paces and the time since nobody follows it."""

    def __init__(self, topic: str) -> None:
        self.feed = Feed(topic)
        self.state = Pace(_interval(topic), self._flush)
        self.tele = Pace(TELEMETRY_S, self._flush_tele)
        self.deserted_at = time.monotonic()

    def _flush(self) -> None:
        meters.FRAMES.labels("delta").inc(self.feed.flush())

    def _flush_tele(self) -> None:
        meters.FRAMES.labels("tele").inc(self.feed.flush_tele(_stamp()))


class Hub:
    """Feeds by topic, sockets, and three tasks: database, reading, beat."""

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.database_ok = False
        self._held: dict[str, _Held] = {}
        self._seen_at = time.monotonic()
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._recheck = asyncio.Event()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="live")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; in the server's loop."""
        loop = asyncio.get_running_loop()
        outermost = (self._database_forever, self._beat_forever, self._recheck_forever)
        self._tasks = [loop.create_task(_kept_alive(task)) for task in outermost]
        meters.LAG.set_function(lambda: self.lag_s)

    def stop(self) -> None:
        """Say goodbye to every socket and end the tasks."""
        for task in self._tasks:
            task.cancel()
        for socket in list(self.sockets):
            socket.close(frames.GOING_AWAY)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run ORM code in one of the hub's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _clean(work))

    @property
    def lag_s(self) -> float:
        """Seconds since the database last answered; 0 while it does."""
        return 0.0 if self.database_ok else time.monotonic() - self._seen_at

    # Sockets

    def join(self, socket: Socket) -> None:
        """Take a socket in."""
        self.sockets.add(socket)

    def leave(self, socket: Socket) -> None:
        """Forget a socket."""
        self.sockets.discard(socket)
        for topic in list(socket.topics):
            self.unfollow(socket, topic)

    async def may(self, caller: Caller, topic: str) -> bool:
        """Whether the caller may listen to the topic now."""
        return await self.in_thread(lambda: rights.allowed(caller.user, topic))

    def follow(self, socket: Socket, topic: str, since: Since | None) -> None:
        """Answer with `ok` and what is missing, now or as soon as the topic has been read."""
        socket.topics.add(topic)
        held = self._held.get(topic)
        if held is None:
            held = self._held[topic] = _Held(topic)
        held.state.cancel()
        held.feed.flush()
        held.feed.follow(socket, since)
        if not held.feed.loaded:
            self._wake.set()

    def unfollow(self, socket: Socket, topic: str) -> None:
        """Stop sending a topic."""
        socket.topics.discard(topic)
        if held := self._held.get(topic):
            held.feed.unfollow(socket)
            held.deserted_at = time.monotonic()

    # The database

    async def _database_forever(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                async with connected() as source:
                    await self._serve(source)
            except* (psycopg.Error, OSError, TimeoutError) as group:
                logger.warning("live.database_away", extra={"reason": str(group.exceptions[0])})
            finally:
                self._away()
            failures = 0 if time.monotonic() - began > LONGEST_BACKOFF_S else failures + 1
            await asyncio.sleep(min(LONGEST_BACKOFF_S, 0.1 * 2**failures))

    async def _serve(self, source: Source) -> None:
        """Listen and read until a connection fails."""
        await self._compare(source)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(source))
            tasks.create_task(self._read_forever(source))
            tasks.create_task(self._compare_forever(source))

    async def _listen(self, source: Source) -> None:
        while True:
            async for notice in source.listener.notifies(timeout=POLL_S):
                self._heard(notice.channel, notice.payload)
            async with asyncio.timeout(ANSWER_S):  # a dead network says nothing
                await source.listener.execute("SELECT 1")

    def _heard(self, channel: str, payload: str) -> None:
        if channel == "authz":
            self._recheck.set()
            return
        topic, _, rest = payload.partition(" ")
        held = self._held.get(topic)
        if held is None:
            return
        if channel == "live":
            if rest.rpartition(" ")[2] != held.feed.epoch:
                held.feed.loaded = False
            self._dirty.add(topic)
            self._wake.set()
            return
        try:
            held.feed.tele.update(_tele.decode(rest))
        except msgspec.DecodeError:
            logger.warning("live.bad_tele", extra={"topic": topic})
            return
        held.tele.poke()

    async def _read_forever(self, source: Source) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if wanted := [topic for topic, held in self._held.items() if not held.feed.loaded]:
                await self._load(source, wanted)
            dirty, self._dirty = self._dirty, set()
            if since := {t: self._held[t].feed.seq for t in dirty if t in self._held}:
                await self._advance(source, since)

    async def _load(self, source: Source, topics: Iterable[str]) -> None:
        names = list(topics)
        async with asyncio.timeout(ANSWER_S):
            found = await source.load(names)
        for name in names:
            if held := self._held.get(name):
                row = found.get(name)
                if row is None:
                    held.feed.replace("", 0, {}, [])
                else:
                    held.feed.replace(row.epoch, row.seq, row.state, row.log)
                held.state.poke()

    async def _advance(self, source: Source, since: dict[str, int]) -> None:
        """Read what is new, once; a topic that began anew or has a gap is read as a whole."""
        async with asyncio.timeout(ANSWER_S):
            changes = await source.deltas(since)
        broken = {topic for topic, epoch, _ in changes if self._epoch(topic) != epoch}
        for topic, _, delta in changes:
            held = self._held.get(topic)
            if held is None or topic in broken:
                continue
            if held.feed.append(delta):
                meters.DELTAS.inc()
                held.state.poke()
            else:
                broken.add(topic)
        if broken:
            await self._load(source, broken)

    def _epoch(self, topic: str) -> str | None:
        held = self._held.get(topic)
        return held.feed.epoch if held else None

    async def _compare_forever(self, source: Source) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            await self._compare(source)

    async def _compare(self, source: Source) -> None:
        """Look for what no notification told us; proves that the database is there."""
        ours = {topic: held.feed.seq for topic, held in self._held.items()}
        async with asyncio.timeout(ANSWER_S):
            heads = await source.heads(list(ours))
        behind = set()
        for topic, before in ours.items():
            held = self._held.get(topic)
            if held is None:
                continue
            epoch, seq = heads.get(topic, ("", 0))
            if epoch != held.feed.epoch or seq < before:
                held.feed.loaded = False  # begun anew, or the database is an older copy
            elif held.feed.seq < seq:
                behind.add(topic)
        self._dirty |= behind
        self._wake.set()
        self._back()

    def _back(self) -> None:
        if not self.database_ok:
            self.database_ok = True
            self._recheck.set()
            self._ping(self.sockets)

    def _away(self) -> None:
        if self.database_ok:
            self.database_ok = False
            self._seen_at = time.monotonic()
            self._ping(self.sockets)

    # The beat

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            present = time.monotonic()
            for socket in list(self.sockets):
                self._tend(socket, present)
            for topic, held in list(self._held.items()):
                if held.feed.deserted and present - held.deserted_at > LINGER_S:
                    held.state.cancel()
                    held.tele.cancel()
                    del self._held[topic]

    def _tend(self, socket: Socket, present: float) -> None:
        if socket.too_slow(present):
            meters.CLOSED.labels("slow").inc()
            socket.close(frames.TOO_SLOW)
            self.leave(socket)
            return
        if socket.drained:
            for topic in socket.topics:
                if held := self._held.get(topic):
                    held.feed.catch_up(socket)
        if present - socket.pinged_at >= HEARTBEAT_S:
            self._ping([socket])

    def _ping(self, sockets: Iterable[Socket]) -> None:
        now, present = _stamp(), time.monotonic()
        for socket in list(sockets):
            socket.pinged_at = present
            heads = {t: self._held[t].feed.head for t in sorted(socket.topics) if t in self._held}
            if socket.writable:
                lag = round(self.lag_s, 1)
                socket.send(
                    frames.pack("ping", at=now, heads=heads, db=self.database_ok, lag_s=lag)
                )

    # Rights

    async def _recheck_forever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(RECHECK_S):
                    await self._recheck.wait()
            except TimeoutError:
                pass
            self._recheck.clear()
            try:
                await self._check_rights()
            except Error as exc:
                logger.warning("live.recheck_failed", extra={"reason": str(exc)[:200]})
            await asyncio.sleep(0.2)  # a burst of sign-outs is one check

    async def _check_rights(self) -> None:
        asked = [(s, topic) for s in self.sockets for topic in s.topics]
        callers = {s.caller for s in self.sockets}
        if not callers:
            return
        pairs = {(socket.caller, topic) for socket, topic in asked}
        gone, refused = await self.in_thread(lambda: _refusals(callers, pairs))
        for socket in [s for s in self.sockets if s.caller in gone]:
            meters.CLOSED.labels("revoked").inc()
            socket.revoke()
            self.leave(socket)
        for socket, topic in asked:
            if (socket.caller, topic) in refused and topic in socket.topics:
                socket.send(frames.pack("revoked", topic=topic))
                self.unfollow(socket, topic)


async def _kept_alive(work: Callable[[], Awaitable[None]]) -> None:
    """A task's outermost loop: a fault of ours is logged, and costs one round only."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("live.crashed", extra={"task": work.__name__})
            await asyncio.sleep(TICK_S)


def _refusals(
    callers: set[Caller], pairs: set[tuple[Caller, str]]
) -> tuple[set[Caller], set[tuple[Caller, str]]]:
    """Callers whose sign-in ended, and topics that others may no longer follow."""
    gone = identity.ended(callers, now=clock.now())
    verdicts: dict[tuple[int, str], bool] = {}
    for caller, topic in pairs:
        key = (caller.user.pk, topic)
        if caller not in gone and key not in verdicts:
            verdicts[key] = rights.allowed(caller.user, topic)
    refused = {(c, t) for c, t in pairs if not verdicts.get((c.user.pk, t), True)}
    return gone, refused


def _clean(work: Callable[[], T]) -> Callable[[], T]:
    """`work` with connections looked after as a request does."""

    def run() -> T:
        close_old_connections()
        try:
            return work()
        finally:
            close_old_connections()

    return run


def _interval(topic: str) -> float:
    """Shortest time between two deltas of a topic, in seconds."""
    if topic.startswith("occ."):
        return OCCUPANCY_S
    return 0.0 if topic == "alarms" else DEVICES_S


def _stamp() -> str:
    return clock.now().astimezone(UTC).isoformat(timespec="milliseconds")


_hub: Hub | None = None


def hub() -> Hub:
    """This process's hub, started on first use inside the server's loop."""
    global _hub
    if _hub is None:
        _hub = Hub()
        _hub.start()
    return _hub
