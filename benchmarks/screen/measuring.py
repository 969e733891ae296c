"""The measurements, each of the real program or of the screen in this process."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.screen.program import NANO, Program, running

BETWEEN_KEYS: Final = 0.4
"""Seconds."""

KEYS: Final = (
    *(("+", "steps, following", True), ("0", "", True), ("c", "esc back", True), ("c", "esc back", False)),
    *(("y", "other scale", True), ("y", "other scale", False)),
    *(("\r", "─ 2 Perplexity", False), ("\r", "─ 2 Perplexity", True)),
)
"""Keys pressed in turn, a text on the screen, and whether it is there afterwards; an empty one is not waited for.

Escape is none of them: Textual waits a tenth of a second for the rest of what may be another key.
"""


def throughput(root: Path, options: Sequence[str], steps: int, pairs: int) -> list[float]:
    """Steps a second with the screen over those without, for each of the alternated pairs of runs."""
    ratios = []
    for _ in range(pairs):
        rates = []
        for screen in (True, False):
            with running(root, options, screen) as program:
                program.wait_for_steps(steps)
                rates.append(program.rate(skip=steps // 10))
        ratios.append(rates[0] / rates[1])
    return ratios


def bytes_a_second(root: Path, seconds: float, options: Sequence[str] = (), paused: bool = False) -> float:
    """That are sent to the terminal from the fiftieth step on, or while the run is paused."""
    with running(root, [*NANO, *options]) as program:
        assert program.screen is not None
        program.wait_for_steps(50)
        if paused:
            program.screen.press(" ")
            time.sleep(5)
        before, begin = len(program.screen.raw), time.monotonic()
        time.sleep(seconds)
        return (len(program.screen.raw) - before) / (time.monotonic() - begin)


def first_frame_seconds(root: Path) -> float:
    """From the start of the process to the first picture."""
    begin = time.perf_counter()
    with running(root, NANO) as program:
        assert program.screen is not None
        while b"tui-trainer" not in program.screen.raw:
            if time.perf_counter() - begin > 30:
                raise SystemExit(f"No picture: {program.screen.raw[-500:]!r}")
            time.sleep(0.002)
        return time.perf_counter() - begin


def key_seconds(root: Path, presses: int) -> list[float]:
    """From each press of a key that changes the charts to its effect, while the run is trained."""
    with running(root, NANO) as program:
        program.wait_for_steps(50)
        pressed = (KEYS[number % len(KEYS)] for number in range(presses))
        waits = [(key[1], _until(program, *key)) for key in pressed]
        return [seconds for shown, seconds in waits if shown]


def _until(program: Program, key: str, shown: str, expected: bool) -> float:
    assert program.screen is not None
    time.sleep(BETWEEN_KEYS)
    program.lines()
    begin = time.perf_counter()
    program.screen.press(key)
    while any(shown in line for line in program.lines()) != expected:
        if time.perf_counter() - begin > 10:
            raise SystemExit(f"The key {key!r} had no effect.")
        time.sleep(0.002)
    return time.perf_counter() - begin


def percentile(values: Sequence[float], part: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1]
