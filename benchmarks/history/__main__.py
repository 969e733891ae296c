"""Long runs: `python -m benchmarks.history` writes runs of 1e3, 1e6 and 1e7 steps, opens them, and prints a table.

Ten million steps take some 3 GB below --where for a while, and a quarter of an hour.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.history.journals import index, write_run
from benchmarks.history.measuring import (
    LiveRun,
    opened,
    opened_in_process,
    screen_seconds,
    status_seconds,
    worst_publish_ms,
)
from tui_trainer.run.directory import RunDirectory

TIMES = 3
"""How often each command is run; the fastest counts, as the machine may have other load."""

GOALS = {
    "snapshot ms": "0.02",
    "window ms": "1",
    "worst publish ms": "",
    "detail seconds": "1",
    "status seconds": "0.5",
    "replay seconds": "2",
    "attach seconds": "2",
    "open seconds": "2",
    "open megabytes": "100",
    "index from scratch seconds": "",
    "index megabytes": "",
    "journal megabytes": "",
}
"""The measurements, in the order of the table, with their upper limits."""


def measured(root: Path, steps: int) -> dict[str, float]:
    run = write_run(root, steps)
    begin = time.perf_counter()
    index(run)
    found = {"index from scratch seconds": time.perf_counter() - begin}
    found["journal megabytes"] = run.journal.stat().st_size / 1e6
    found["index megabytes"] = sum(path.stat().st_size for path in run.path.glob("journal.index")) / 1e6
    found |= opened_in_process(run)
    found["worst publish ms"] = worst_publish_ms(steps)
    found["status seconds"] = min(status_seconds(run) for _ in range(TIMES))
    found["replay seconds"] = min(screen_seconds("replay", run, steps) for _ in range(TIMES))
    live = LiveRun(run, steps)
    try:
        found["attach seconds"] = min(screen_seconds("attach", run, steps) for _ in range(TIMES))
    finally:
        live.close()
    shutil.rmtree(run.path)
    return found


def table(results: dict[int, dict[str, float]]) -> str:
    lines = [f"| | {' | '.join(f'{steps:,} steps' for steps in results)} | goal |", "|---" * (len(results) + 2) + "|"]
    for name, goal in GOALS.items():
        cells = " | ".join(f"{found[name]:.3g}" for found in results.values())
        lines.append(f"| {name} | {cells} | {goal and f'<= {goal}'} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--steps", type=float, nargs="+", default=[1e3, 1e6, 1e7], help="lengths of the runs")
    parser.add_argument("--where", type=Path, default=None, help="a directory for the runs (default: a temporary one)")
    parser.add_argument("--measure", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(opened(RunDirectory(options.measure))))
        return
    with tempfile.TemporaryDirectory(dir=options.where) as root:
        print(table({int(steps): measured(Path(root), int(steps)) for steps in options.steps}))


if __name__ == "__main__":
    main()
