"""What the screen costs: `python -m benchmarks.screen` prints a table, and takes ten minutes.

With --root the package of another checkout is measured instead; what it lacks can be left out with --without.
"""

import argparse
import signal
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.screen import measuring
from benchmarks.screen.frames import frame_ms
from benchmarks.screen.program import NANO, ROOT, SMALL

FRAME_STEPS: Final = (1_000, 10_000_000)

Measurement = Callable[[argparse.Namespace], str]


def _ratios(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.3f}  ({', '.join(f'{ratio:.3f}' for ratio in sorted(ratios))})"


def _throughput(asked: argparse.Namespace) -> str:
    return _ratios(measuring.throughput(asked.root, NANO, asked.steps, asked.pairs))


def _python_bound(asked: argparse.Namespace) -> str:
    return _ratios(measuring.throughput(asked.root, SMALL, 20 * asked.steps, asked.pairs))


def _frames(asked: argparse.Namespace) -> str:
    short, long = (frame_ms(steps) for steps in FRAME_STEPS)
    return f"{long / short:.2f}  ({long:.0f} ms over {short:.0f} ms)"


def _bytes(*options: str, paused: bool = False) -> Measurement:
    return lambda asked: f"{measuring.bytes_a_second(asked.root, asked.seconds, options, paused) / 1000:.2f}"


def _key(asked: argparse.Namespace) -> str:
    waits = measuring.key_seconds(asked.root, asked.presses)
    return f"{1e3 * measuring.percentile(waits, 95):.0f}  (median {1e3 * statistics.median(waits):.0f})"


def _first_frame(asked: argparse.Namespace) -> str:
    return f"{min(measuring.first_frame_seconds(asked.root) for _ in range(asked.pairs)):.2f}"


MEASUREMENTS: Final[Mapping[str, tuple[str, str, Measurement]]] = {
    "throughput": ("training with the screen / headless, nano", ">= 0.99", _throughput),
    "python": ("the same, a millisecond a step", ">= 0.95", _python_bound),
    "frames": ("frame time at 10 million steps / 1 thousand", "<= 1.2", _frames),
    "bytes": ("KB/s to the terminal at 160x48", "<= 3", _bytes()),
    "low": ("KB/s with --low-bandwidth", "<= 0.5", _bytes("--low-bandwidth")),
    "paused": ("KB/s while paused", "about 0", _bytes(paused=True)),
    "key": ("ms from a key to its effect, 95th percentile", "<= 100", _key),
    "first": ("seconds to the first frame", "<= 0.4", _first_frame),
}
"""By name: what is measured, the goal, and how."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screen", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout whose package is measured")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=[*MEASUREMENTS])
    parser.add_argument("--without", nargs="+", choices=MEASUREMENTS, default=[])
    parser.add_argument("--pairs", type=int, default=3, help="of runs, alternated")
    parser.add_argument("--steps", type=int, default=300, help="of each run")
    parser.add_argument("--seconds", type=float, default=30.0, help="over which bytes are counted")
    parser.add_argument("--presses", type=int, default=40)
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no run is left behind
    print(f"| {'measured':<46} | {'goal':<7} | found |\n| --- | --- | --- |", flush=True)
    for name in asked.only:
        if name not in asked.without:
            title, goal, measure = MEASUREMENTS[name]
            print(f"| {title:<46} | {goal:<7} | {measure(asked)} |", flush=True)


if __name__ == "__main__":
    main()
