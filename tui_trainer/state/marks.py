"""What charts mark on their axis: checkpoints, evaluations, settings that were changed, alerts and resumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import (
    WHOLE,
    Alert,
    BranchStarted,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    RunStarted,
    ScheduleChanged,
)

KEPT: Final = 200
"""Of each kind, the newest."""


class MarkKind(StrEnum):
    CHECKPOINT = "checkpoint"
    EVALUATION = "evaluation"
    SETTING = "setting"
    ALERT = "alert"
    RESUME = "resume"


SETTINGS: Final = {"set_temperature": "temperature", "set_prompt": "prompt", "use_model": "model"}
"""By the name of the command that changes it."""


@dataclass(frozen=True)
class Mark:
    """What happened after `step` steps; `text` may come from outside."""

    step: int
    kind: str
    text: str


def mark_of(event: Event) -> Mark | None:
    """The mark of an event, if it has one."""
    match event:
        case CheckpointSaved():
            return Mark(event.step, MarkKind.CHECKPOINT, f"checkpoint ({event.reason})")
        case Evaluation(part=part) if part == WHOLE:
            return Mark(event.step, MarkKind.EVALUATION, f"evaluation{', the best so far' * event.best}")
        case CommandApplied() if event.name in SETTINGS:
            return Mark(event.step, MarkKind.SETTING, f"{SETTINGS[event.name]} {event.value}")
        case ScheduleChanged():
            return Mark(event.step, MarkKind.SETTING, f"{event.steps:,} steps from here on")
        case Alert() if event.severity != Severity.INFO:
            return Mark(event.step, MarkKind.ALERT, event.message)
        case RunStarted() if event.step:
            return Mark(event.step, MarkKind.RESUME, "resumed")
        case BranchStarted():
            return Mark(event.step, MarkKind.RESUME, f"branch {event.id} begins")
    return None


def with_mark(marks: Sequence[Mark], mark: Mark | None) -> tuple[Mark, ...]:
    """The marks, oldest first, and one more."""
    if mark is None:
        return tuple(marks)
    alike = [at for at, each in enumerate(marks) if each.kind == mark.kind]
    dropped = alike[0] if len(alike) >= KEPT else None
    return (*(each for at, each in enumerate(marks) if at != dropped), mark)
