"""A run at one moment, frozen: what a screen draws from."""

from dataclasses import dataclass, field
from typing import Any, Final

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.history.history import History
from tui_trainer.run.events import (
    Alert,
    CheckpointSaved,
    Evaluation,
    PartialSample,
    Resources,
    RunStarted,
    Sample,
    Stage,
    Step,
)
from tui_trainer.state.absence import Absence
from tui_trainer.state.marks import Mark
from tui_trainer.state.pace import TimeLeft

NOT_STORED: Final = {"stored": False}
"""Marks a field that does not follow from the journal, or from others that are stored."""


@dataclass(frozen=True)
class Snapshot:
    """`version` grows with every event, so an equal version means nothing changed."""

    version: int = field(default=0, metadata=NOT_STORED)
    state: str = "loading"
    reason: str = ""
    model: str = ""
    """Which of the two models of a finished run writes samples, `last` or `best`; empty where there is one."""
    stage: Stage | None = field(default=None, metadata=NOT_STORED)
    stages_done: tuple[str, ...] = field(default=(), metadata=NOT_STORED)
    activity: str = field(default="", metadata=NOT_STORED)
    """What the trainer does beside taking steps; empty while it does nothing else."""
    playing_speed: float | None = field(default=None, metadata=NOT_STORED)
    """Of a recording that is played, as a multiple of the run's own; None of a run."""
    run: RunStarted | None = None
    step: int = 0
    last_step: Step | None = None
    smoothed_loss: float | None = field(default=None, metadata=NOT_STORED)
    step_seconds: float | None = field(default=None, metadata=NOT_STORED)
    """Averaged time of an optimizer step alone."""
    tokens_per_second: float | None = field(default=None, metadata=NOT_STORED)
    time_left: TimeLeft | None = field(default=None, metadata=NOT_STORED)
    """None where it cannot be told yet, and once the run has ended."""
    elapsed: float = field(default=0.0, metadata=NOT_STORED)
    """Seconds spent training, pauses left out."""
    clipped_share: float | None = field(default=None, metadata=NOT_STORED)
    """Part of the steps that were taken whose gradient was clipped."""
    last_evaluation: Evaluation | None = None
    """The last of the whole validation part, as the best one is."""
    last_quick_evaluation: Evaluation | None = None
    """The last of a sample of it."""
    best_evaluation: Evaluation | None = None
    samples: tuple[Sample, ...] = ()
    """Newest first."""
    partial_sample: PartialSample | None = field(default=None, metadata=NOT_STORED)
    last_checkpoint: CheckpointSaved | None = None
    alerts: tuple[Alert, ...] = ()
    """Newest first."""
    resources: Resources | None = None
    temperature: float = 1.0
    prompt: str = ""
    history: History = field(default_factory=History, metadata=NOT_STORED)
    """Is asked for windows, and grows with the run: a window that ends at `step` has all up to this moment."""
    absence: Absence | None = field(default=None, metadata=NOT_STORED)
    """What happened since the last viewer left; None while there is one."""
    marks: tuple[Mark, ...] = ()
    """For the charts, oldest first."""
    schedule: Schedule | None = None
    """The learning rate of the steps to come."""

    def changed(self, changes: dict[str, Any]) -> "Snapshot":
        """As dataclasses.replace, in a tenth of its time: it is called for every event."""
        snapshot = object.__new__(Snapshot)
        snapshot.__dict__.update(self.__dict__)
        snapshot.__dict__.update(changes)
        return snapshot
