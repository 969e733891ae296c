"""The events of a run. The same objects go to the screen, the journal and viewers in other processes.

This is the reference of the journal's format, a JSON object a line: "event" (the kind), "step", "time" (unix seconds),
then the fields of the event. Two kinds of fields lie flat beside the others, without a name of their own: those of a
`run` event's parts (run_parts.py), as in all journals so far, whatever is added; and the `numbers` of a `step` or of
`layers`, which may be called anything that no other field is. Only "event" is required of every line, and the fields
without a default of its kind: `{"event": "run", "run": "x", "format": 1}` and `{"event": "step", "step": 1, "loss": 4}`
are enough. A number that is not finite is null. A reader leaves out what it does not know, and refuses a journal with a
"format" above its own.
"""

import math
import time
from dataclasses import dataclass, field, fields
from typing import ClassVar, Final

from tui_trainer.run.run_parts import (
    RunMachine,
    RunModel,
    RunPlan,
    RunSampling,
    RunSource,
    check_length,
    check_schedule,
)

TRAINING = ("running", "paused")
ENDED = ("finished", "stopped", "failed")
STATES = ("loading", *TRAINING, *ENDED)

TAKES_COMMANDS = (*TRAINING, "finished")
"""States in which a run can be saved and generates samples."""

WHOLE, SAMPLE = "whole", "sample"

MAX_NUMBERS: Final = 64
"""Beside those that have a field; a line that has more was not written by a trainer."""

MAX_NUMBER_NAME: Final = 64
"""Characters."""

LAST, BEST = "last", "best"
"""The models of a run that has come to its end: of its last step, and of its best evaluation."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened after `step` optimizer steps, at `time` (unix seconds; 0 if its line does not tell)."""

    event: ClassVar[str]
    journalled: ClassVar[bool] = True
    droppable: ClassVar[bool] = False
    """Whether it is so frequent that it is left out where too many events wait for a slow disk or viewer."""

    step: int = 0
    time: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be: the event may come from a file, or from another process."""
        if self.step < 0:
            raise ValueError(f"{self.step} steps cannot have been taken")


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A trainer started the run, or (`step` > 0) resumed it from a checkpoint."""

    event = "run"
    run: str
    """Its name."""
    format: int = 1
    """Of the journal from here on; 1 where the field is missing."""
    path: str = ""
    branch: int = 1
    """The branch that is trained from here on."""
    source: RunSource = field(default_factory=RunSource)
    model: RunModel = field(default_factory=RunModel)
    machine: RunMachine = field(default_factory=RunMachine)
    plan: RunPlan = field(default_factory=RunPlan)
    sampling: RunSampling = field(default_factory=RunSampling)
    reasons: dict[str, str] = field(default_factory=dict)
    """What was left to the program: by option, the value it chose and why."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.branch < 1:
            raise ValueError(f"there is no branch {self.branch}")


@dataclass(frozen=True, kw_only=True)
class BranchStarted(Event):
    """From here on the run is the branch `id`, which continues from step `step` of the branch `parent`."""

    event = "branch"
    id: int
    parent: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.parent < self.id:
            raise ValueError(f"branch {self.id} cannot begin in branch {self.parent}")


@dataclass(frozen=True, kw_only=True)
class ScheduleChanged(Event):
    """The run was replanned during training: its length and learning rate from now on, as in the `run` event.

    It holds until the next one, or until the run is resumed.
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
        check_length(self.steps, self.warmup)
        check_schedule(self.schedule, self.lr, self.min_lr)
        if not (self.factor > 0 and self.until >= 0):
            raise ValueError(f"no learning rate follows from the factor {self.factor} until step {self.until}")


@dataclass(frozen=True, kw_only=True)
class Step(Event):
    """One optimizer step; `loss` in nats per token, `grad_norm` before clipping, `tokens` cumulative."""

    event = "step"
    droppable = True
    loss: float | None
    lr: float | None = None
    grad_norm: float | None = None
    weight_norm: float | None = None
    tokens: int | None = None
    step_seconds: float | None = None
    tokens_per_second: float | None = None
    numbers: dict[str, float | None] = field(default_factory=dict)
    """Further ones, by name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_numbers(self)


@dataclass(frozen=True, kw_only=True)
class Layers(Event):
    """Numbers of each layer, from the first to the last, by what is measured."""

    event = "layers"
    droppable = True
    numbers: dict[str, list[float | None]]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_numbers(self)


def _check_numbers(event: Step | Layers) -> None:
    """Raises ValueError for too many numbers, or names that are too long or taken by a field."""
    if not event.numbers:  # as nearly always, and there are many steps
        return
    if len(event.numbers) > MAX_NUMBERS or max(map(len, event.numbers)) > MAX_NUMBER_NAME:
        raise ValueError(f"at most {MAX_NUMBERS} numbers with names of {MAX_NUMBER_NAME} characters can be told")
    if taken := event.numbers.keys() & {"event", *(spec.name for spec in fields(event))}:
        raise ValueError(f"{min(taken)} is told by a field")


@dataclass(frozen=True, kw_only=True)
class Evaluation(Event):
    """Losses in nats per token: validation over the whole part or a sample of it, training since the last whole one.

    A sample shows the course of the loss between two evaluations of the whole part. Only these tell the best model.
    """

    event = "eval"
    train_loss: float | None
    val_loss: float | None
    perplexity: float | None
    bits_per_byte: float | None
    best: bool
    part: str = WHOLE
    """Of the validation text that was evaluated, `whole` or `sample`."""
    standard_error: float | None = None
    """Of the validation loss of a sample, in nats per token: by how much it may differ as it is no other sample."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part not in (WHOLE, SAMPLE):
            raise ValueError(f"the part {self.part!r} is not known")


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
    droppable = True
    journalled = False
    prompt: str
    text: str
    temperature: float
    model: str = ""


PERIODIC, ON_REQUEST = "periodic", "asked"
"""Reasons of checkpoints: the time has come; a user has asked for it, so that it is never removed."""


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    event = "checkpoint"
    path: str
    reason: str
    held_seconds: float = 0.0
    """How long training waited: for the checkpoint before, while that was written, and while a copy was made."""
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
    droppable = True
    memory_bytes: int
    device_memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Stage(Event):
    """Progress before the first step: `done` of `total` bytes, or an unknown amount while `total` is 0."""

    event = "stage"
    droppable = True
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
