"""The engine against nanoGPT: `python -m benchmarks.engine --corpus FILE [--nanogpt CHECKOUT]`.

Runs are cut into turns that alternate, so that other load on the machine affects all alike. Times are of training
steps alone, with all that a step needs (compiling too); losses are over the whole validation part.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.side import Side

NANOGPT_STEPS = 2000
TURNS = 16
FRACTIONS = (1.0, 0.25, 0.125, 0.0625)
SPEED_STEPS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--nanogpt", type=Path, help="A checkout of nanoGPT; ours runs alone without one.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=NANOGPT_STEPS, help="Steps of nanoGPT's run.")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="Our settings, as preset=nano.")
    arguments = parser.parse_args()
    benchmark = Benchmark(
        arguments.corpus.absolute(), arguments.nanogpt, arguments.steps, dict(map(setting, arguments.set))
    )
    benchmark.compare(range(1, arguments.seeds + 1))


def setting(text: str) -> tuple[str, str | float]:
    """A name and its value from NAME=VALUE; the value is an int, a float or else a str."""
    name, value = text.split("=", 1)
    for kind in (int, float):
        with suppress(ValueError):
            return name, kind(value)
    return name, value


class Benchmark:
    def __init__(self, corpus: Path, checkout: Path | None, steps: int, settings: dict[str, str | float]) -> None:
        self._corpus, self._checkout, self._steps = corpus, checkout, steps
        self._settings: dict[str, str | float] = {"preset": "nano", **settings}

    def compare(self, seeds: Sequence[int]) -> None:
        seconds_per_step = self._speed()
        budget = self._steps * seconds_per_step.get("nanoGPT", seconds_per_step["ours"])
        step_counts = [max(20, int(fraction * budget / seconds_per_step["ours"])) for fraction in FRACTIONS]
        runs = [self._race(step_counts, seed) for seed in seeds]
        print("\n| run | parameters | tokens | seconds | validation loss | spread |\n|---|---|---|---|---|---|")
        for column in zip(*runs, strict=True):
            losses = [side.val_loss or float("nan") for side in column]
            spread = statistics.stdev(losses) if len(losses) > 1 else 0.0
            print(
                f"| {column[0].name} | {column[0].parameters:,} | {column[0].steps * column[0].tokens_per_step:,} "
                f"| {statistics.mean(side.seconds for side in column):.1f} "
                f"| {statistics.mean(losses):.4f} | {spread:.4f} |"
            )

    def _speed(self) -> dict[str, float]:
        """Median seconds per step over the turns, by side."""
        sides = self._sides([10_000], 0)
        times: dict[str, list[float]] = {side.name: [] for side in sides}
        for turn in range(TURNS + 1):
            for side in sides:
                seconds = side.train(SPEED_STEPS) / SPEED_STEPS
                if turn:  # the first is for warming up
                    times[side.name].append(seconds)
        for side in sides:
            side.close()
        seconds_per_step = {name.split(",")[0]: statistics.median(values) for name, values in times.items()}
        print("| side | ms a step | tokens/s |\n|---|---|---|")
        rates = [side.tokens_per_step / seconds for side, seconds in zip(sides, seconds_per_step.values(), strict=True)]
        for (name, seconds), rate in zip(seconds_per_step.items(), rates, strict=True):
            print(f"| {name} | {1000 * seconds:.1f} | {rate:,.0f} |")
        if "nanoGPT" in seconds_per_step:
            print(f"\nOurs / nanoGPT in tokens/s: {rates[1] / rates[0]:.2f}", flush=True)
        return seconds_per_step

    def _race(self, step_counts: list[int], seed: int) -> list[Side]:
        sides = self._sides(step_counts, seed)
        for turn in range(TURNS):
            for side in sides:
                side.train(side.steps * (turn + 1) // TURNS - side.taken)
        for side in sides:
            print(f"seed {seed}: {side.name}: {side.seconds:.1f} s, {side.val_loss:.4f}", file=sys.stderr, flush=True)
            side.close()
        return sides

    def _sides(self, step_counts: list[int], seed: int) -> list[Side]:
        corpus = str(self._corpus)
        sides = []
        if self._checkout:
            place = str(self._checkout.absolute())
            steps = self._steps if len(step_counts) > 1 else step_counts[0]
            options: dict[str, str | float] = {"checkout": place, "corpus": corpus, "seed": seed}
            sides.append(Side("nanoGPT", "benchmarks.nanogpt", steps, **options))
        ours: dict[str, str | float] = {"corpus": corpus, "seed": seed, **self._settings}
        return sides + [Side(f"ours, {steps:,} steps", "benchmarks.ours", steps, **ours) for steps in step_counts]


if __name__ == "__main__":
    main()
