"""Runs the program with infinite or large losses at known steps: `python -m benchmarks.planted STEPS ARGUMENTS...`.

The factor of a loss depends on its step alone, so that a repeated step has it again. The program itself is unchanged.
"""

import math
import sys
from collections.abc import Callable
from typing import Any

LARGE = 1000.0
"""Factor of a loss that is to be far above the usual."""


def rolled_back(steps: int) -> tuple[int, int, int]:
    """The steps (from 0) of a run of `steps` at which the losses that cause a rollback begin."""
    quarter = steps // 4
    return quarter, 2 * quarter, 3 * quarter


def loss_factors(steps: int) -> dict[int, float]:
    """By step, the factor of its loss: for three rollbacks, and two skipped steps."""
    first, second, third = rolled_back(steps)
    infinite = [first // 2, *range(first, first + 3), (second + third) // 2, *range(third, third + 3)]
    return dict.fromkeys(infinite, math.inf) | dict.fromkeys(range(second, second + 5), LARGE)


def plant(factors: dict[int, float]) -> None:
    """Patch the program to multiply the losses of these steps."""
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
    plant(loss_factors(int(sys.argv[1])))
    from tui_trainer.cli.entry import main as program

    sys.argv = ["tui-trainer", *sys.argv[2:]]
    program()


if __name__ == "__main__":
    main()
