"""Runs the program with accidents at known steps: `python -m benchmarks.planted STEPS ARGUMENTS...`.

What happens at a step depends on its number alone, so a step that is taken again has the same accident. The program
itself knows of none.
"""

import math
import sys
from collections.abc import Callable
from typing import Any

LARGE = 1000.0
"""What a loss that is far above its usual is multiplied by."""


def rolled_back(steps: int) -> tuple[int, int, int]:
    """The steps (from 0), of a run of `steps`, from which on the loss is such that they are undone."""
    quarter = steps // 4
    return quarter, 2 * quarter, 3 * quarter


def accidents(steps: int) -> dict[int, float]:
    """What the loss of a step is multiplied by: for three rollbacks, and two steps that are skipped."""
    first, second, third = rolled_back(steps)
    infinite = [first // 2, *range(first, first + 3), (second + third) // 2, *range(third, third + 3)]
    return dict.fromkeys(infinite, math.inf) | dict.fromkeys(range(second, second + 5), LARGE)


def plant(factors: dict[int, float]) -> None:
    """Make the loss of those steps so many times what it is."""
    from tui_trainer.model.transformer import Transformer
    from tui_trainer.training.step.stepper import Stepper

    take, loss = Stepper.take, Transformer.loss
    factor = 1.0

    def taken(self: Stepper, step: int, lr: float, interrupted: Callable[[], bool]) -> bool:
        nonlocal factor
        factor = factors.get(step, 1.0)
        try:
            return take(self, step, lr, interrupted)
        finally:
            factor = 1.0

    def multiplied(self: Transformer, *ids: Any) -> Any:
        return loss(self, *ids) * factor

    Stepper.take = taken  # type: ignore[method-assign]
    Transformer.loss = multiplied  # type: ignore[method-assign, assignment]


def main() -> None:
    plant(accidents(int(sys.argv[1])))
    from tui_trainer.cli.entry import main as program

    sys.argv = ["tui-trainer", *sys.argv[2:]]
    program()


if __name__ == "__main__":
    main()
