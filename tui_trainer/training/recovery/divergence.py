"""Detects divergence: losses and gradient norms that are not finite, spike, or stay too high."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Final

from tui_trainer.run.text import visible_line
from tui_trainer.training.progress import MAX_STEPS
from tui_trainer.training.recovery.sustained import ClippingMonitor, UniformLossMonitor
from tui_trainer.training.step.stepper import StepResult

MAX_SKIPPED: Final = 3
"""Consecutive steps without a finite loss and gradient at which a run counts as diverged."""

MAX_OVERFLOWS: Final = 12
"""The same in fp16, where the right scale of the loss is found by overflowing."""

SUSTAINED: Final = 5
"""Consecutive spikes at which a run counts as diverged: a single one may be an odd batch."""

HALF_LIFE: Final = 50.0
"""Half-life, in steps, of the running mean and variance."""

MIN_STEPS: Final = 50
"""Steps before any is compared with the running mean: few of them have no useful variance."""

DEVIATIONS: Final = 6.0
LOSS_RISE: Final = 1.0
"""Nats per token by which a loss must rise at least to be a spike."""

NORM_RISE: Final = math.log(10)
"""The same for the logarithm of the gradient norm."""

LARGEST: Final = 1e9
"""Above every mean and variance that finite fp32 losses and logarithms of their gradients' norms come to."""

SIGNED: Final = ("loss.mean", "norm.mean", "guessing.lately")


@dataclass
class RunningStats:
    """Mean and variance of a number, averaged exponentially."""

    mean: float = 0.0
    variance: float = 0.0
    count: int = 0

    def far_above(self, value: float, rise: float) -> bool:
        """Whether `value` is above the mean by more than DEVIATIONS standard deviations, and by `rise` at least."""
        return self.count >= MIN_STEPS and value > self.mean + max(rise, DEVIATIONS * math.sqrt(self.variance))

    def update(self, value: float) -> None:
        """Welford's update with exponential weights: plain averages until HALF_LIFE is reached."""
        self.count += 1
        weight = max(1 / self.count, 1 - 0.5 ** (1 / HALF_LIFE))
        change = value - self.mean
        self.mean += weight * change
        self.variance = (1 - weight) * (self.variance + weight * change * change)


def state_error(state: dict[str, float]) -> str:
    """Why `DivergenceDetector.load` cannot load this state of a checkpoint, in a sentence; empty if it can."""
    needed = {f"{name}.{spec.name}" for name in ("loss", "norm") for spec in fields(RunningStats)}
    if state and (lacking := min(needed - state.keys(), default="")):
        return f"The checkpoint lacks {lacking} of the watch for divergence: it cannot be resumed."
    for name, value in state.items():
        if not (-LARGEST if name in SIGNED else 0) <= value <= (LARGEST if name in needed else MAX_STEPS):
            what = f"{visible_line(name)} of the watch for divergence"
            return f"The checkpoint has a value for {what} that no run has: it cannot be resumed."
    return ""


class DivergenceDetector:
    """Decides after each step whether the run diverges; results are given to `update` in order."""

    def __init__(self, precision: str, vocab_size: int, clip: float) -> None:
        self._max_skipped = MAX_OVERFLOWS if precision == "fp16" else MAX_SKIPPED
        self._loss, self._norm = RunningStats(), RunningStats()
        self._guessing, self._clipping = UniformLossMonitor.of_vocabulary(vocab_size), ClippingMonitor(clip)
        self.advice = ""
        """Advice that follows from the last step, in a sentence; mostly empty."""
        self.skipped = 0
        """Consecutive steps that were not finite."""
        self.spikes = 0
        """Consecutive steps far above the running mean."""

    @property
    def healthy(self) -> bool:
        """Whether none of the last steps is counted as a sign of divergence."""
        return not self.skipped and not self.spikes and not self._guessing.far

    @property
    def persistent(self) -> bool:
        """Whether the run is above the loss of guessing for long, so that the learning rate is too high for good."""
        return bool(self._guessing.trouble)

    @property
    def final_warning(self) -> str:
        """What is wrong with a run that ends now, in a sentence; empty if nothing is."""
        return self._guessing.final_warning

    def update(self, result: StepResult) -> str:
        """Why the run counts as diverged after this step, in words that follow "the"; empty if it does not."""
        self.advice = ""
        if not result.finite:
            self.skipped += 1
            if self.skipped < self._max_skipped:
                return ""
            return f"loss or its gradient was not finite for {self.skipped} steps"
        self.skipped = 0
        self.advice = self._clipping.update(result.grad_norm)
        far = self._guessing.update(result.loss)
        norm = math.log(max(result.grad_norm, 1e-30))
        loss_spikes = self._loss.far_above(result.loss, LOSS_RISE)
        if loss_spikes or self._norm.far_above(norm, NORM_RISE):
            self.spikes += 1
            what = "loss" if loss_spikes else "gradient norm"
            return f"{what} was far above its usual for {self.spikes} steps" if self.spikes >= SUSTAINED else ""
        self.spikes = 0
        if far:  # such losses must not enter the running mean
            return self._guessing.trouble
        self._loss.update(result.loss)
        self._norm.update(norm)
        return ""

    def reset(self) -> None:
        """Set the counts to zero, as after a rollback; the running means stay."""
        self.skipped = self.spikes = self._guessing.far = 0

    def state(self) -> dict[str, float]:
        """What `load` takes, for a checkpoint."""
        spreads = {"loss": self._loss, "norm": self._norm}
        held = {f"{name}.{key}": value for name, spread in spreads.items() for key, value in asdict(spread).items()}
        counts = {key: float(getattr(part, name)) for key, (part, name) in self._counts().items()}
        return held | counts

    def load(self, state: dict[str, float]) -> None:
        """Restore what `state` returned; `state_error` must have found nothing wrong with it."""
        if not state:
            return
        for name, spread in (("loss", self._loss), ("norm", self._norm)):
            for spec in fields(spread):
                setattr(spread, spec.name, state[f"{name}.{spec.name}"])
        for key, (part, name) in self._counts().items():
            # Earlier checkpoints have fewer.
            setattr(part, name, int(state.get(key, 0)))

    def _counts(self) -> dict[str, tuple[object, str]]:
        """By its name in a checkpoint, each count: the object that has it, and the name of its attribute."""
        parts: tuple[tuple[object, str, tuple[str, ...]], ...] = (
            (self, "", ("skipped", "spikes")),
            (self._guessing, "guessing.", ("far", "lately")),
            (self._clipping, "clipping.", ("steps", "clipped", "told")),
        )
        return {prefix + name: (part, name) for part, prefix, names in parts for name in names}
