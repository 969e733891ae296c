"""Alerts: one function for each kind. `step` is the step the alert belongs to, `message` a sentence for the user."""

from enum import StrEnum
from typing import Final

from tui_trainer.run.events import Alert
from tui_trainer.run.text import visible_line

TOLD: Final = 12
"""Characters that an alert tells."""


class AlertKind(StrEnum):
    CHECKPOINT = "checkpoint"
    CLIPPING = "clipping"
    COMPILE = "compile"
    CONTROL = "control"
    CORPUS = "corpus"
    DIRECTORY = "directory"
    DIVERGENCE = "divergence"
    INDEX = "index"
    JOURNAL = "journal"
    MEMORY = "memory"
    OTHER_RUNS = "other_runs"
    OVERFITTING = "overfitting"
    OVERFLOW = "overflow"
    PACE = "pace"
    PROMPT = "prompt"
    RESUME = "resume"
    SCHEDULE = "schedule"
    STOP = "stop"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def checkpoint(step: int, message: str, severity: Severity = Severity.ERROR) -> Alert:
    """A checkpoint that could not be saved, or cannot be read."""
    return _alert(AlertKind.CHECKPOINT, step, message, severity)


def clipping(step: int, message: str) -> Alert:
    """Nearly every gradient is clipped."""
    return _alert(AlertKind.CLIPPING, step, message, Severity.WARNING)


def compilation(step: int, message: str) -> Alert:
    """The model could not be compiled."""
    return _alert(AlertKind.COMPILE, step, message, Severity.WARNING)


def control(step: int, message: str) -> Alert:
    """A command that was refused or lost, or a run that cannot be attached to."""
    return _alert(AlertKind.CONTROL, step, message, Severity.WARNING)


def corpus(step: int, message: str) -> Alert:
    """Files that were left out of the corpus."""
    return _alert(AlertKind.CORPUS, step, message, Severity.INFO)


def directory(step: int, message: str, severity: Severity = Severity.WARNING) -> Alert:
    """The run's directory was moved or deleted."""
    return _alert(AlertKind.DIRECTORY, step, message, severity)


def divergence(step: int, message: str, severity: Severity = Severity.ERROR) -> Alert:
    """A loss or gradient that is not finite or far too large, and what was done about it."""
    return _alert(AlertKind.DIVERGENCE, step, message, severity)


def index(step: int, message: str) -> Alert:
    """The run could not be added to the index of runs."""
    return _alert(AlertKind.INDEX, step, message, Severity.WARNING)


def journal(step: int, message: str, severity: Severity) -> Alert:
    """The journal cannot be written, or lacks steps."""
    return _alert(AlertKind.JOURNAL, step, message, severity)


def memory(step: int, message: str) -> Alert:
    """There is too little memory for something."""
    return _alert(AlertKind.MEMORY, step, message, Severity.WARNING)


def other_runs(message: str) -> Alert:
    """Other runs are trained on this machine."""
    return _alert(AlertKind.OTHER_RUNS, 0, message, Severity.INFO)


def overfitting(step: int, message: str) -> Alert:
    """The validation loss has stopped improving."""
    return _alert(AlertKind.OVERFITTING, step, message, Severity.WARNING)


def overflow(step: int, message: str) -> Alert:
    """A gradient was too large for fp16."""
    return _alert(AlertKind.OVERFLOW, step, message, Severity.INFO)


def pace(step: int, message: str, severity: Severity) -> Alert:
    """Steps take longer or shorter than the calibration measured."""
    return _alert(AlertKind.PACE, step, message, severity)


def prompt(step: int, used: str, unknown: str) -> Alert:
    """The prompt has characters that the corpus lacks; `used` is the rest of it."""
    characters = visible_line(unknown[:TOLD] + "…" * (len(unknown) > TOLD))
    what = f"Left out of the prompt, as the text never has it: {characters}"
    nothing = "The text has no character of the prompt: samples begin as the text does."
    return _alert(AlertKind.PROMPT, step, what if used else nothing, Severity.WARNING)


def resume(step: int, message: str, severity: Severity = Severity.INFO) -> Alert:
    """How a run was resumed."""
    return _alert(AlertKind.RESUME, step, message, severity)


def schedule(step: int, message: str) -> Alert:
    """The run's number of steps was changed."""
    return _alert(AlertKind.SCHEDULE, step, message, Severity.INFO)


def stop(step: int, message: str) -> Alert:
    """The run could not be stopped as it was asked to."""
    return _alert(AlertKind.STOP, step, message, Severity.ERROR)


def _alert(kind: AlertKind, step: int, message: str, severity: Severity) -> Alert:
    return Alert(step=step, kind=kind.value, severity=severity.value, message=message)
