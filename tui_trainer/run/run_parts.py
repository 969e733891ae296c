"""The parts of a `run` event.

A field that the journal lacks is empty: "" for a text, 0 for a number, or None where 0 is a possible value. A run that
another tool has written may have no more than a name.
"""

from dataclasses import dataclass, field

from tui_trainer.config import SCHEDULES


@dataclass(frozen=True, kw_only=True)
class RunSource:
    """The corpus, and the tokens made of it."""

    corpus: str = ""
    fingerprint: str = ""
    tokenizer: str = ""
    train_tokens: int = 0
    val_tokens: int = 0
    unigram_entropy: float | None = None
    """In nats per token: the loss of a model that predicts each token by its frequency."""


@dataclass(frozen=True, kw_only=True)
class RunModel:
    """The model's sizes."""

    preset: str = ""
    parameters: int = 0
    layers: int = 0
    width: int = 0
    heads: int = 0
    context: int = 0
    vocab_size: int = 0


@dataclass(frozen=True, kw_only=True)
class RunMachine:
    """The device, the precision and the versions of the software."""

    device: str = ""
    precision: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """The length of the run, its learning rate and its optimizer."""

    steps: int = 0
    schedule: str = ""
    """Empty if the learning rates of future steps are unknown."""
    lr: float = 0.0
    min_lr: float = 0.0
    warmup: int = 0
    optimizer: str = ""
    clip: float | None = None
    """0 if gradients are not clipped."""
    tokens_per_step: int = 0
    tokens_per_epoch: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for invalid values, as they may come from a file."""
        check_length(self.steps, self.warmup)
        if self.schedule:
            check_schedule(self.schedule, self.lr, self.min_lr)


@dataclass(frozen=True, kw_only=True)
class RunSampling:
    """The settings of samples at the start of the run."""

    temperature: float = 1.0
    prompt: str = ""


def check_length(steps: int, warmup: int) -> None:
    """Raises ValueError for a negative length."""
    if not (steps >= 0 and warmup >= 0):
        raise ValueError(f"{steps} steps with {warmup} of warmup are no length")


def check_schedule(schedule: str, lr: float, min_lr: float) -> None:
    """Raises ValueError for an unknown schedule or an invalid learning rate."""
    if schedule not in SCHEDULES:
        raise ValueError(f"the schedule {schedule!r} is not known")
    if not (lr > 0 and min_lr >= 0):
        raise ValueError(f"from {lr} to {min_lr} is no learning rate")
