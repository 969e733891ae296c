"""Learning-rate schedules: pure functions of the step, so that future rates can be drawn and past ones repeated.

All reach their last value at the last step (`steps - 1`). Formulas: cosine decay after Loshchilov & Hutter 2017
(arXiv 1608.03983); `wsd` (warmup, stable, decay) after Hu et al. 2024 (arXiv 2404.06395), decaying linearly.
"""

import math
from dataclasses import dataclass
from typing import Final

WSD_DECAY: Final = 0.6
"""Share of a `wsd` run's steps in which the rate decays."""

EXPONENTIAL_FLOOR: Final = 0.01
"""Last rate of `exponential` as a share of the peak, if the minimum is lower: it cannot reach zero."""


@dataclass(frozen=True)
class Schedule:
    """The learning rate over a run; `steps` and `warmup` in optimizer steps.

    After a rollback it is multiplied by `factor` in the steps before `until`.
    """

    kind: str
    lr: float
    min_lr: float
    warmup: int
    steps: int
    factor: float = 1.0
    until: int = 0

    def factor_at(self, step: int) -> float:
        """What the schedule's rate of `step`, counted from 0, is multiplied by."""
        return self.factor if step < self.until else 1.0

    def at(self, step: int) -> float:
        """The learning rate of `step`, counted from 0; past the end it stays at its last value."""
        return self._planned(min(step, self.steps - 1)) * self.factor_at(step)

    def _planned(self, step: int) -> float:
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        span = max(1, self.steps - 1 - self.warmup)
        return _decayed(self.kind, self.lr, self.min_lr, (step - self.warmup) / span)


def _decayed(kind: str, lr: float, min_lr: float, progress: float) -> float:
    """The rate after `progress` (0 to 1) of the steps that follow warmup."""
    match kind:
        case "constant":
            return lr
        case "linear":
            return lr + (min_lr - lr) * progress
        case "cosine" | "warmup-cosine":
            return min_lr + (lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
        case "exponential":
            floor = max(min_lr, lr * EXPONENTIAL_FLOOR)
            return lr * math.pow(floor / lr, progress)
        case "wsd":
            return lr + (min_lr - lr) * max(0.0, 1 - (1 - progress) / WSD_DECAY)
    raise AssertionError(kind)
