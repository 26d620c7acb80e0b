"""The loop that keeps children alive: one thread, one selector."""

import contextlib
import ctypes
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from base_ops.supervisor.child import Child, Spec
from base_ops.supervisor.output import Output

STOP_STEP_S = 1.5  # three stages: all is over within 5 s
CRASH_LOOP = 5
_PR_SET_CHILD_SUBREAPER = 36
_TICK_S = 0.1


class Stopped(Exception):
    """Somebody asked us to stop."""


class Tree:
    """Children of this process. Use it in a `with` block: leaving it ends every one of them."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._signalled = 0

    @contextlib.contextmanager
    def open(self) -> Iterator["Tree"]:
        """Take over signals and orphans; at the end stop all, in order, and give them back."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(reading, selectors.EVENT_READ)
        before = {n: signal.signal(n, self._note) for n in (signal.SIGINT, signal.SIGTERM,
                  signal.SIGHUP, signal.SIGCHLD)}  # fmt: skip
        old_fd = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield self
        finally:
            self._stop_all()
            signal.set_wakeup_fd(old_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(reading)
            os.close(writing)

    def add(self, spec: Spec) -> Child:
        """Start a child and keep it alive from now on."""
        child = Child(spec)
        self._children.append(child)
        self._start(child)
        return child

    def run_once(self, spec: Spec) -> int:
        """Run a command to its end, beside the others; returns its exit code."""
        child = Child(spec)
        self._start(child)
        self._children.append(child)
        try:
            self.wait(lambda: child.code is not None)
        finally:
            if child.pid is None:
                self._children.remove(child)
        assert child.code is not None
        return child.code

    def wait(self, until: Callable[[], bool], timeout_s: float = float("inf")) -> bool:
        """Keep everything alive until `until()`; False when the time is over.

        Raises:
            Stopped: a signal asked for the end.
        """
        deadline = time.monotonic() + timeout_s
        while not until():
            if time.monotonic() > deadline:
                return False
            self._turn()
            if self._signalled:
                raise Stopped
        return True

    def forever(self) -> None:
        """Keep everything alive.

        Raises:
            Stopped: a signal asked for the end.
        """
        self.wait(lambda: False)

    def _note(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._signalled += 1

    def _start(self, child: Child) -> None:
        try:
            pipe = child.start()
        except OSError as exc:
            self.output.say(f"{child.name} cannot be started: {exc}")
            child.died(127)
            if child.spec.once:
                child.starts_at = None
            return
        self._selector.register(pipe, selectors.EVENT_READ, child)

    def _turn(self) -> None:
        """One round: hear, reap, restart."""
        for key, _ in self._selector.select(_TICK_S):
            if isinstance(key.data, Child):
                self._hear(key.data, key.fd)
            else:
                os.read(key.fd, 4096)
        self._reap()
        if not self._stopping:
            for child in self._children:
                if child.starts_at is not None and child.starts_at <= time.monotonic():
                    self._start(child)

    def _hear(self, child: Child, pipe: int) -> None:
        lines = child.read()
        if lines is None:
            self._selector.unregister(pipe)
        for line in lines or []:
            self.output.line(child.name, line)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = next((child for child in self._children if child.pid == pid), None)
            if child is not None:
                self._bury(child, pid, os.waitstatus_to_exitcode(status))

    def _bury(self, child: Child, pid: int, code: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self._kill_orphans()
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(child.pipe)
        for line in child.close():
            self.output.line(child.name, line)
        pause = child.died(code)
        if self._stopping or child.spec.once:
            child.starts_at = None
            return
        self.output.say(f"{child.name} ended ({_how(code)}), starting again in {pause:.1f} s")
        if child.deaths >= CRASH_LOOP and child.deaths % CRASH_LOOP == 0:
            self._report_loop(child)

    def _report_loop(self, child: Child) -> None:
        say = self.output.say
        say(f"{child.name} keeps dying ({child.deaths} times in a row). Its last lines:")
        for line in child.last_lines:
            say(f"    {line}")
        say(f"I go on trying; see {child.name}.log in the logs folder. The rest goes on running.")

    def _kill_orphans(self) -> None:
        """End what a dead child left behind: Linux gives its children to us."""
        known = {child.pid for child in self._children}
        for pid in children_of(os.getpid()) - known:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _stop_all(self) -> None:
        self._stopping = True
        for stage in sorted({child.spec.stage for child in self._children}, reverse=True):
            members = [child for child in self._children if child.spec.stage == stage]
            self._stop(members)
        self._kill_orphans()
        self._drain(self._children, STOP_STEP_S)
        while children_of(os.getpid()):
            self._kill_orphans()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, 0)

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.starts_at = None
            child.signal(child.spec.stop_with)
        if self._drain(children, STOP_STEP_S):
            return
        for child in children:
            if child.pid is not None:
                self.output.say(f"{child.name} did not stop in {STOP_STEP_S} s, killing it")
                child.signal(signal.SIGKILL)
        self._drain(children, STOP_STEP_S)

    def _drain(self, children: list[Child], timeout_s: float) -> bool:
        """Wait until these are gone; a second Ctrl-C cuts the patience short."""
        deadline, asked = time.monotonic() + timeout_s, self._signalled
        while any(child.pid is not None for child in children):
            if time.monotonic() > deadline or self._signalled > asked:
                return False
            self._turn()
        return True


def children_of(parent: int) -> set[int]:
    """Processes whose parent is `parent`, by /proc."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.add(int(entry.name))
    return found


def _how(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
