"""Watches a run's losses and gradient norms for what would ruin it."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Final

from tui_trainer.run.text import visible_line
from tui_trainer.training.progress import MAX_STEPS
from tui_trainer.training.recovery.sustained import Clipping, Guessing
from tui_trainer.training.step.stepper import StepResult

MAX_SKIPPED: Final = 3
"""Steps in a row without a finite loss and gradient that are one accident too many."""

MAX_OVERFLOWS: Final = 12
"""The same in fp16, where the right scale of the loss is found by overflowing."""

SUSTAINED: Final = 5
"""Steps in a row far outside the recent spread: one alone may be an odd batch."""

HALF_LIFE: Final = 50.0
"""Steps over which the recent mean and spread are taken."""

SETTLED: Final = 50
"""Steps to watch before judging any."""

DEVIATIONS: Final = 6.0
LOSS_RISE: Final = 1.0
"""Nats per token by which a loss must rise at least to be a spike."""

NORM_RISE: Final = math.log(10)
"""The same for the logarithm of the gradient norm."""

LARGEST: Final = 1e9
"""Above every mean and variance that finite fp32 losses and logarithms of their gradients' norms come to."""

SIGNED: Final = ("loss.mean", "norm.mean", "guessing.lately")


@dataclass
class Spread:
    """The recent mean of a number and its variance, by exponential averaging."""

    mean: float = 0.0
    variance: float = 0.0
    count: int = 0

    def far_above(self, value: float, rise: float) -> bool:
        """Whether `value` is far above what has been usual."""
        return self.count >= SETTLED and value > self.mean + max(rise, DEVIATIONS * math.sqrt(self.variance))

    def take(self, value: float) -> None:
        """Welford's update with a forgetting weight: plain averages until HALF_LIFE is reached."""
        self.count += 1
        weight = max(1 / self.count, 1 - 0.5 ** (1 / HALF_LIFE))
        change = value - self.mean
        self.mean += weight * change
        self.variance = (1 - weight) * (self.variance + weight * change * change)


def fault(state: dict[str, float]) -> str:
    """Why `DivergenceDetector.load` cannot take this state of a checkpoint, in a sentence; empty where it can."""
    needed = {f"{name}.{spec.name}" for name in ("loss", "norm") for spec in fields(Spread)}
    if state and (lacking := min(needed - state.keys(), default="")):
        return f"The checkpoint tells no {lacking} of its guard: it cannot be resumed."
    for name, value in state.items():
        if not (-LARGEST if name in SIGNED else 0) <= value <= (LARGEST if name in needed else MAX_STEPS):
            return f"The checkpoint tells a {visible_line(name)} of its guard that no run has: it cannot be resumed."
    return ""


class DivergenceDetector:
    """Takes in what came of each step, in order."""

    def __init__(self, precision: str, vocab_size: int, clip: float) -> None:
        self._max_skipped = MAX_OVERFLOWS if precision == "fp16" else MAX_SKIPPED
        self._loss, self._norm = Spread(), Spread()
        self._guessing, self._clipping = Guessing.among(vocab_size), Clipping(clip)
        self.advice = ""
        """What the last step gave reason to advise."""
        self.skipped = 0
        """Steps in a row that were not finite."""
        self.spikes = 0
        """Steps in a row far outside the recent spread."""

    @property
    def calm(self) -> bool:
        return not self.skipped and not self.spikes and not self._guessing.far

    @property
    def lasting(self) -> bool:
        """Whether what is wrong is no accident of some steps: the learning rate is too high."""
        return bool(self._guessing.trouble)

    @property
    def ending(self) -> str:
        """What is wrong with a run that ends now, in a sentence; empty when nothing is."""
        return self._guessing.ending

    def watch(self, result: StepResult) -> str:
        """What is wrong with the run, in words that follow "the"; empty while nothing is."""
        self.advice = ""
        if not result.finite:
            self.skipped += 1
            if self.skipped < self._max_skipped:
                return ""
            return f"loss or its gradient was not finite for {self.skipped} steps"
        self.skipped = 0
        self.advice = self._clipping.take(result.grad_norm)
        far = self._guessing.take(result.loss)
        norm = math.log(max(result.grad_norm, 1e-30))
        loss_spikes = self._loss.far_above(result.loss, LOSS_RISE)
        if loss_spikes or self._norm.far_above(norm, NORM_RISE):
            self.spikes += 1
            what = "loss" if loss_spikes else "gradient norm"
            return f"{what} was far above its usual for {self.spikes} steps" if self.spikes >= SUSTAINED else ""
        self.spikes = 0
        if far:  # which is not to become what is usual
            return self._guessing.trouble
        self._loss.take(result.loss)
        self._norm.take(norm)
        return ""

    def forgive(self) -> None:
        """The trouble has been dealt with: begin to count anew."""
        self.skipped = self.spikes = self._guessing.far = 0

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        spreads = {"loss": self._loss, "norm": self._norm}
        held = {f"{name}.{key}": value for name, spread in spreads.items() for key, value in asdict(spread).items()}
        counts = {key: float(getattr(part, name)) for key, (part, name) in self._counts().items()}
        return held | counts

    def load(self, state: dict[str, float]) -> None:
        """Take what `state` gave, in which there is no `fault`."""
        if not state:
            return
        for name, spread in (("loss", self._loss), ("norm", self._norm)):
            for spec in fields(spread):
                setattr(spread, spec.name, state[f"{name}.{spec.name}"])
        for key, (part, name) in self._counts().items():
            # Earlier checkpoints have fewer.
            setattr(part, name, int(state.get(key, 0)))

    def _counts(self) -> dict[str, tuple[object, str]]:
        """What is counted, by its name in a checkpoint: the object that has it, and its name there."""
        parts: tuple[tuple[object, str, tuple[str, ...]], ...] = (
            (self, "", ("skipped", "spikes")),
            (self._guessing, "guessing.", ("far", "lately")),
            (self._clipping, "clipping.", ("steps", "clipped", "told")),
        )
        return {prefix + name: (part, name) for part, prefix, names in parts for name in names}
