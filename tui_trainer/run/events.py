"""What happened in a run. The same objects feed the screen, the journal and a viewer in another process."""

import math
import time
from dataclasses import dataclass, field
from typing import ClassVar

from tui_trainer.config import SCHEDULES

ENDED = ("finished", "stopped", "failed")
STATES = ("loading", "running", "paused", *ENDED)

LAST, BEST = "last", "best"
"""The models of a run that has come to its end: of its last step, and of its best evaluation."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened after `step` optimizer steps, at `time` (unix seconds)."""

    event: ClassVar[str]
    journalled: ClassVar[bool] = True

    step: int = 0
    time: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be: the event may come from a file, or from another process."""
        if self.step < 0:
            raise ValueError(f"{self.step} steps cannot have been taken")


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A trainer took the run up: for the first time, or (`step` > 0) from a checkpoint."""

    event = "run"
    run: str
    path: str
    corpus: str
    versions: dict[str, str]
    device: str
    precision: str
    preset: str
    parameters: int
    layers: int
    width: int
    heads: int
    context: int
    tokenizer: str
    vocab_size: int
    fingerprint: str
    train_tokens: int
    val_tokens: int
    unigram_entropy: float
    """Nats per token of a model that knows only how frequent each token is."""
    tokens_per_epoch: int
    tokens_per_step: int
    steps: int
    schedule: str
    lr: float
    min_lr: float
    warmup: int
    clip: float
    temperature: float
    prompt: str
    optimizer: str = "adamw"
    reasons: dict[str, str] = field(default_factory=dict)
    """What was left to the program: by option, the value it chose and why."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_schedule(self)


@dataclass(frozen=True, kw_only=True)
class ScheduleChanged(Event):
    """The run was planned anew while it went on: its length and learning rate from now on, as in the `run` event.

    It holds until the next one, or until a trainer takes the run up.
    """

    event = "schedule"
    steps: int
    schedule: str
    lr: float
    min_lr: float
    warmup: int
    reason: str = ""
    """The number of steps, and why it is that."""
    factor: float = 1.0
    """What the learning rate of the steps before `until` is multiplied by."""
    until: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_schedule(self)
        if not (self.factor > 0 and self.until >= 0):
            raise ValueError(f"no learning rate follows from the factor {self.factor} until step {self.until}")


def _check_schedule(event: RunStarted | ScheduleChanged) -> None:
    """Raises ValueError for what no run can be planned with: the event may come from a file."""
    if event.schedule not in SCHEDULES:
        raise ValueError(f"the schedule {event.schedule!r} is not known")
    if not (event.steps >= 0 and event.warmup >= 0):
        raise ValueError(f"{event.steps} steps with {event.warmup} of warmup are no length")
    if not (event.lr > 0 and event.min_lr >= 0):
        raise ValueError(f"from {event.lr} to {event.min_lr} is no learning rate")


@dataclass(frozen=True, kw_only=True)
class Step(Event):
    """One optimizer step; `loss` in nats per token, `grad_norm` before clipping, `tokens` cumulative."""

    event = "step"
    loss: float | None
    lr: float
    grad_norm: float | None
    weight_norm: float | None
    tokens: int
    step_seconds: float
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class Evaluation(Event):
    """Losses in nats per token: validation over the whole part, training averaged since the last evaluation."""

    event = "eval"
    train_loss: float | None
    val_loss: float | None
    perplexity: float | None
    bits_per_byte: float | None
    best: bool


@dataclass(frozen=True, kw_only=True)
class Sample(Event):
    event = "sample"
    prompt: str
    text: str
    temperature: float
    top_k: int
    seed: int
    model: str = ""
    """At the end of a run whose best evaluation was not its last: which model wrote it, `last` or `best`."""


@dataclass(frozen=True, kw_only=True)
class PartialSample(Event):
    """A sample still being written; for the screen only."""

    event = "partial_sample"
    journalled = False
    prompt: str
    text: str
    temperature: float
    model: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    event = "checkpoint"
    path: str
    reason: str
    held_seconds: float = 0.0
    """How long training waited, while a copy was made."""
    write_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StateChanged(Event):
    event = "state"
    state: str
    reason: str = ""
    model: str = ""
    """Once finished with two models to choose from: which of them writes samples, `last` or `best`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.state not in STATES:
            raise ValueError(f"the state {self.state!r} is not known")


@dataclass(frozen=True, kw_only=True)
class CommandApplied(Event):
    event = "command"
    name: str
    value: float | str | bool | None
    source: str


@dataclass(frozen=True, kw_only=True)
class Alert(Event):
    """`severity` is info, warning or error."""

    event = "alert"
    kind: str
    severity: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Resources(Event):
    """Bytes of memory the trainer holds: of the process, and on the accelerator (0 without one)."""

    event = "resources"
    memory_bytes: int
    device_memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Stage(Event):
    """Progress before the first step: `done` of `total` bytes, or an unknown amount while `total` is 0."""

    event = "stage"
    journalled = False
    stage: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    """Since the stage began."""


@dataclass(frozen=True, kw_only=True)
class Activity(Event):
    """What the trainer does beside taking steps, from now on; `doing` is empty when that is over."""

    event = "activity"
    journalled = False
    doing: str


def finite(number: float) -> float | None:
    """A number as events carry it: None stands for one that is not finite."""
    return number if math.isfinite(number) else None


EVENTS: dict[str, type[Event]] = {kind.event: kind for kind in Event.__subclasses__()}
