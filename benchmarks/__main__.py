"""Measures what we promise, each figure beside its limit from the same run.

    python -m benchmarks [NAME …] [--json]

A bench is a module `bench_<name>.py` whose `run()` gives one result or a list of them:
{"name", "ours", "limit", "ratio", "unit", and "target" when something was promised}.
BASE_OPS_BENCH_QUICK=1 makes the long ones short, to see them work; their figures then say little.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

Result = dict[str, Any]


def names() -> list[str]:
    """Every bench there is."""
    found = Path(__file__).parent.glob("bench_*.py")
    return sorted(path.stem.removeprefix("bench_") for path in found)


def run(name: str) -> list[Result]:
    """One bench's results."""
    results = importlib.import_module(f"benchmarks.bench_{name}").run()
    return results if isinstance(results, list) else [results]


def line(result: Result) -> str:
    """One result for people."""
    target = f", promised {result['target']}" if "target" in result else ""
    figures = f"{result['ours']} {result['unit']} against {result['limit']}"
    cpu = (
        f"; CPU ms each {result['cpu_ms']} / {result['limit_cpu_ms']}"
        if "cpu_ms" in result
        else ""
    )
    return f"{result['name']}: {figures} (x {result['ratio']}{target}{cpu})"


def main() -> int:
    """Run what was asked for; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--json", action="store_true", help="one JSON array, for machines")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(names())):
        parser.error(f"no such bench: {', '.join(unknown)}; there are {', '.join(names())}")
    results: list[Result] = []
    for name in asked.names or names():
        for result in run(name):
            results.append(result)
            if not asked.json:
                sys.stdout.write(f"{line(result)}\n")
                sys.stdout.flush()
    if asked.json:
        sys.stdout.write(f"{json.dumps(results, ensure_ascii=False)}\n")
    return 0 if all(result.get("kept", True) for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
