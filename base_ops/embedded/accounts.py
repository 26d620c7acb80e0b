"""Which Unix account a server runs as: ours, or another one when we are root."""

import ctypes
import os
import pwd
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user and group id, and the name behind them."""

    name: str
    uid: int
    gid: int


def ours() -> Account:
    """The account this process runs as; a number when it has no name."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, os.getegid())


def unprivileged(data_dir: Path) -> Account:
    """The account PostgreSQL runs as: it refuses to be root.

    Whoever owns an existing data directory goes on owning it.

    Raises:
        LookupError: we are root and the machine knows no other account.
    """
    if os.geteuid() != 0:
        return ours()
    if (data_dir / "PG_VERSION").exists() and (owner := data_dir.stat().st_uid):
        return _of(pwd.getpwuid(owner))
    for entry in pwd.getpwall():
        if entry.pw_name in _UNPRIVILEGED and entry.pw_uid:
            return _of(entry)
    raise LookupError("root may not run PostgreSQL and there is no account postgres or nobody")


def become(
    account: Account, *, reach: Iterable[Path], dies_with_us: signal.Signals
) -> Callable[[], None]:
    """What a child does between fork and exec to run as `account`.

    Args:
        account: nothing changes when it is the account we run as.
        reach: what the child must get to. Where a parent directory is closed to `account`
            (a clone below /root), the child keeps one capability, CAP_DAC_OVERRIDE.
        dies_with_us: sent by Linux to the child when our process dies, however it dies.
    """
    leave_root = account.uid != os.geteuid()
    keep = leave_root and not all(_open_to_all(path) for path in reach)

    parent = os.getpid()

    def before_exec() -> None:
        if leave_root:
            _prctl(_PR_SET_KEEPCAPS, int(keep))
            os.setgroups([])
            os.setresgid(account.gid, account.gid, account.gid)
            os.setresuid(account.uid, account.uid, account.uid)
        if keep:
            _keep_only(_CAP_DAC_OVERRIDE)
        _prctl(_PR_SET_PDEATHSIG, int(dies_with_us))  # after setuid, which clears it
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return before_exec


def _of(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _open_to_all(path: Path) -> bool:
    """Whether everybody may walk through each directory above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _keep_only(capability: int) -> None:
    """Hold one capability, and pass it on through exec."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _LIBC.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(*args: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*args, 0, 0, 0, 0)][:5]
    if _LIBC.prctl(*padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl{args}")
