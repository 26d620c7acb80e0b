"""The broker's files: written whole or not at all, and only when they say something else."""

import os
import signal
import tempfile
from pathlib import Path

from devices.domain import accounts
from devices.domain.accounts import Listening
from devices.services.accounts import entries


def put(path: Path, content: bytes, *, secret: bool) -> bool:
    """Replace the file at once; whether it says anything new. Its owner stays its owner."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o600 if secret else 0o644)
        if os.geteuid() == 0:
            owner = (path if path.exists() else path.parent).stat()
            os.chown(fresh, owner.st_uid, owner.st_gid)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return True


def write_accounts(folder: Path) -> bool:
    """Write `passwords` and `acl` of everybody who may connect now; whether anything changed."""
    rows = entries()
    changed = put(folder / "acl", accounts.access_file(rows).encode(), secret=True)
    return put(folder / "passwords", accounts.password_file(rows).encode(), secret=True) or changed


def write_broker(folder: Path, at: Listening) -> bool:
    """Write mosquitto.conf; the broker reads most of it only when it starts."""
    return put(folder / "mosquitto.conf", accounts.broker_file(at).encode(), secret=False)


def reload(pid_file: Path) -> bool:
    """Have the broker read its accounts anew; False when it does not run.

    A number that another program bears by now is left alone: SIGHUP would end it.
    """
    try:
        pid = int(pid_file.read_text())
        if (Path("/proc") / str(pid) / "comm").read_text().strip() != "mosquitto":
            return False
        os.kill(pid, signal.SIGHUP)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return False
    return True
