"""A supervisor with three small real children, run as a program by test_tree.py.

Usage: python -m tests.platform.family FOLDER
"""

import signal
import sys
from pathlib import Path

from base_ops.supervisor.child import Spec
from base_ops.supervisor.output import Output
from base_ops.supervisor.tree import Stopped, Tree

STEADY = "import os, signal; print('I am', os.getpid(), flush=True); signal.pause()"
STUBBORN = (
    "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('I am', os.getpid(), flush=True)\nwhile True: signal.pause()"
)
PARENT = (
    "import os, signal, subprocess, sys;"
    "p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],"
    " start_new_session=True);"
    "print('I am', os.getpid(), 'with', p.pid, flush=True); signal.pause()"
)
HASTY = "print('I give up', flush=True); raise SystemExit(3)"


def main(folder: Path) -> None:
    """Keep them alive until a signal."""
    output = Output(folder)
    with Tree(output).open() as tree:
        for stage, (name, program) in enumerate(
            {"steady": STEADY, "stubborn": STUBBORN, "parent": PARENT, "hasty": HASTY}.items()
        ):
            tree.add(Spec(name, [sys.executable, "-c", program], stage=min(stage, 2)))
        try:
            tree.forever()
        except Stopped:
            output.say("stopping")
    output.say(f"stopped by {signal.SIGTERM.name} or the like")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
