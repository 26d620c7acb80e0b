"""One topic inside the hub: its state, its recent changes, and who follows it how far.

There is no queue of frames per follower. Each is known by the seq it has; whoever is behind gets
one frame with everything since, encoded once for all who were at the same place.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from base_ops.core.live import frames
from base_ops.core.live.frames import Delta, Since, Values

LOG_LENGTH = 500
LOG_BYTES = 1024 * 1024


class Follower(Protocol):
    """One socket, as a feed sees it."""

    @property
    def writable(self) -> bool:
        """Whether its reader keeps up."""

    def send(self, frame: bytes) -> None:
        """Hand a frame to the transport; never waits."""


class Feed:
    """A topic that somebody in this process follows."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.loaded = False
        self.epoch = ""
        self.seq = 0
        self.state: Values = {}
        self.followers: dict[Follower, int] = {}
        self.waiting: dict[Follower, Since | None] = {}
        self.tele: Values = {}
        self._log: deque[Delta] = deque(maxlen=LOG_LENGTH)
        self._log_bytes = 0
        self._encoded: dict[int, bytes] = {}

    def follow(self, follower: Follower, since: Since | None) -> None:
        """Add a follower; it is answered now, or when the topic has been read."""
        self.followers.pop(follower, None)
        self.waiting[follower] = since
        if self.loaded:
            self._welcome()

    def unfollow(self, follower: Follower) -> None:
        """Forget a follower."""
        self.followers.pop(follower, None)
        self.waiting.pop(follower, None)

    @property
    def deserted(self) -> bool:
        """Whether nobody follows."""
        return not self.followers and not self.waiting

    def replace(self, epoch: str, seq: int, state: Values, log: Sequence[Delta]) -> None:
        """Take over what was read from the database; followers learn it with the next flush."""
        if epoch != self.epoch or seq < self.seq:
            self.followers = dict.fromkeys(self.followers, -1)
        self.loaded, self.epoch, self.seq, self.state = True, epoch, seq, state
        self._log.clear()
        self._log_bytes = 0
        for delta in log:
            self._remember(delta)
        self._encoded.clear()
        self._welcome()

    def append(self, delta: Delta) -> bool:
        """Take one change over; False when it does not follow ours: read the topic again."""
        if delta.seq <= self.seq:
            return True
        if delta.seq != self.seq + 1:
            return False
        for key in delta.unset:
            self.state.pop(key, None)
        self.state.update(delta.set)
        self.seq = delta.seq
        self._remember(delta)
        self._encoded.clear()
        return True

    def _remember(self, delta: Delta) -> None:
        """Add to the log, and forget its beginning when it grows too large."""
        if len(self._log) == LOG_LENGTH:
            self._log_bytes -= self._log.popleft().size
        self._log.append(delta)
        self._log_bytes += delta.size
        while self._log_bytes > LOG_BYTES and len(self._log) > 1:
            self._log_bytes -= self._log.popleft().size

    def flush(self) -> int:
        """Send everybody what they lack, but nobody who does not read; returns frames sent."""
        sent = 0
        for follower, seen in self.followers.items():
            if seen != self.seq and follower.writable:
                follower.send(self._since(seen))
                self.followers[follower] = self.seq
                sent += 1
        return sent

    def flush_tele(self, at: str) -> int:
        """Send pending telemetry; who does not read misses it."""
        if not self.tele:
            return 0
        frame = frames.pack("tele", topic=self.topic, set=self.tele, at=at)
        self.tele = {}
        readers = [follower for follower in self.followers if follower.writable]
        for follower in readers:
            follower.send(frame)
        return len(readers)

    def catch_up(self, follower: Follower) -> None:
        """Give a follower that reads again one snapshot instead of its backlog."""
        if self.followers.get(follower, self.seq) != self.seq:
            follower.send(self._since(-1))
            self.followers[follower] = self.seq

    def _welcome(self) -> None:
        """Answer new followers: a resumed one gets what it missed, others a snapshot."""
        for follower, since in self.waiting.items():
            resumed = since is not None and since.epoch == self.epoch and self._reaches(since.seq)
            seen = since.seq if since is not None and resumed else -1
            mode = "resumed" if resumed else "snapshot"
            follower.send(frames.pack("ok", topic=self.topic, mode=mode, **self.head))
            if seen != self.seq:
                follower.send(self._since(seen))
            self.followers[follower] = self.seq
        self.waiting.clear()

    @property
    def head(self) -> dict[str, str | int]:
        """Epoch and seq, as pings carry them."""
        return {"epoch": self.epoch, "seq": self.seq}

    def _reaches(self, seq: int) -> bool:
        """Whether the log holds everything after `seq`."""
        if not 0 <= seq <= self.seq:
            return False
        return seq == self.seq or (bool(self._log) and self._log[0].seq <= seq + 1)

    def _since(self, seen: int) -> bytes:
        """One frame from `seen` to here: a delta when the log reaches back, else a snapshot."""
        if seen not in self._encoded:
            self._encoded[seen] = self._delta(seen) if self._reaches(seen) else self._snapshot()
        return self._encoded[seen]

    def _delta(self, seen: int) -> bytes:
        given, gone = frames.merge(delta for delta in self._log if delta.seq > seen)
        at = self._log[-1].at
        body = {"prev": seen, "seq": self.seq, "set": given, "unset": gone, "at": at}
        return frames.pack("delta", topic=self.topic, epoch=self.epoch, **body)

    def _snapshot(self) -> bytes:
        at = self._log[-1].at if self._log else None
        return frames.pack("snap", topic=self.topic, **self.head, state=self.state, at=at)
