"""One process of ours: how it is started, what it says, and when it may start again."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from base_ops.embedded import accounts
from base_ops.supervisor.output import LONGEST_LINE

FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 20.0
STEADY_AFTER_S = 20.0  # alive that long: the next death starts the pauses anew


@dataclass(frozen=True)
class Spec:
    """What to run.

    Args:
        name: shown before each of its lines.
        command: argv.
        environment: over the supervisor's own.
        before_exec: run in the child; by default it dies (SIGKILL) when the supervisor dies.
        before_start: run in the supervisor before each start.
        stop_with: the signal that asks for an orderly end.
        stage: stopped in descending order; what others need has a low one.
        once: runs to its end and is not started again.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    before_exec: Callable[[], None] | None = None
    before_start: Callable[[], None] = lambda: None
    stop_with: signal.Signals = signal.SIGTERM
    stage: int = 2
    once: bool = False


class Child:
    """A Spec and its process, if any."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.name = spec.name
        self.pid: int | None = None
        self.code: int | None = None
        self.starts_at: float | None = None
        self.deaths = 0
        self.last_lines: deque[str] = deque(maxlen=6)
        self.pipe = -1
        self._partial = b""
        self._started_at = 0.0

    def start(self) -> int:
        """Start it in a session of its own; returns the descriptor of what it says."""
        self.spec.before_start()
        spec = self.spec
        tie = spec.before_exec or accounts.become(
            accounts.ours(), reach=(), dies_with_us=signal.SIGKILL
        )
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(writing, True)
        try:
            process = subprocess.Popen(
                spec.command, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing,
                env={**os.environ, **spec.environment}, preexec_fn=tie, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        process.returncode = 0  # the supervisor reaps, not subprocess
        self.pid, self.code, self.starts_at = process.pid, None, None
        self.pipe, self._partial, self._started_at = reading, b"", time.monotonic()
        return reading

    def read(self) -> list[str] | None:
        """Complete lines it has said; None when it has closed its output."""
        try:
            data = os.read(self.pipe, LONGEST_LINE)
        except BlockingIOError:
            return []
        if not data:
            return None
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LONGEST_LINE:
            lines.append(self._partial)
            self._partial = b""
        return self._texts(lines)

    def close(self) -> list[str]:
        """Its last words."""
        rest: list[str] = []
        while lines := self.read():
            rest += lines
        os.close(self.pipe)
        self.pipe = -1
        return rest + self._texts([self._partial] if self._partial else [])

    def died(self, code: int) -> float:
        """Note its end; returns the pause in seconds before it may start again."""
        lived_s = time.monotonic() - self._started_at
        self.deaths = 1 if lived_s > STEADY_AFTER_S else self.deaths + 1
        self.pid, self.code = None, code
        pause = min(FIRST_PAUSE_S * 2.0 ** min(self.deaths - 1, 10), LONGEST_PAUSE_S)
        self.starts_at = time.monotonic() + pause
        return pause

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process; a forced end goes to all of its session's group."""
        if self.pid is None:
            return
        try:
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:  # it has just ended and awaits being reaped
            return

    def _texts(self, lines: Sequence[bytes]) -> list[str]:
        texts = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.last_lines.extend(texts)
        return texts
