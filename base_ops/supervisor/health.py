"""Asks a web process how a base is, for health checks of containers.

Usage: python -m base_ops.supervisor.health ADDRESS [CHECK]
Without CHECK: is the web process alive? With it: is that part of /readyz well ("broker", "jobs")?
"""

import json
import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 2.5


def main(address: str, check: str = "") -> int:
    """0 when well, 1 when not."""
    # Whatever name we reach it under, the web process only answers to its own.
    host = os.environ.get("BASE_OPS_ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    path = "/readyz" if check else "/healthz"
    request = urllib.request.Request(address + path, headers={"Host": host})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            body = answer.read()
    except urllib.error.HTTPError as exc:
        body = exc.read()  # 503 names each part
    except OSError:
        return 1
    return int(not _is_well(body, check))


def _is_well(body: bytes, check: str) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    part = answer.get("checks", {}).get(check, {}) if check else answer
    return part.get("ok") is True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
