"""Kills a run many times, resumes it each time, and compares it with one that was not killed.

`python -m benchmarks.torture --kills 200` takes about a quarter of an hour. Every other kill waits for a checkpoint
that is being written, most others come at any moment, some of them while the run is being resumed; the last ones come
after the last step, before the end of the run.

With `--planted` some losses are made infinite or large, in both runs at the same steps, so that each is rolled back
three times; near each of those steps the run is killed several times.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.torture.killing import NEAR, Torture

SHOWN = 3
"""Differences that are printed, the first ones."""


def summarised(differences: list[str]) -> str:
    """The first differences, and how many more there are."""
    more = len(differences) - SHOWN
    return "; ".join(differences[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "") or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--steps", type=int, default=0, help="Of the run; about 60 a kill when left out.")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", action="store_true", help="Make losses infinite or large at some steps.")
    arguments = parser.parse_args()
    steps = arguments.steps or 60 * arguments.kills
    with tempfile.TemporaryDirectory() as place:
        verdict = Torture(Path(place), steps, arguments.seed, arguments.precision, arguments.planted).run(
            arguments.kills
        )
    print(
        f"\n{arguments.precision}: {verdict.kills} kills, {verdict.in_saves} of them in the middle of a save, "
        f"{verdict.at_the_end} between the last step and the end, {verdict.after_the_end} after that and before the "
        f"process had ended; {verdict.steps_taken:,} steps taken for {steps:,}.\n"
        f"Rollbacks: {verdict.rollbacks}, with {verdict.near_rollbacks} kills within {NEAR} steps of them.\n"
        f"Checkpoints lost: {verdict.lost or 'none'}.\n"
        f"Differences from the run left alone: {summarised(verdict.differences)}."
    )
    sys.exit(bool(verdict.lost or verdict.differences))


if __name__ == "__main__":
    main()
