"""What happened while no viewer was attached: since the last one left, or since the start of the run."""

from dataclasses import dataclass, field, replace
from typing import Final

from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import (
    ENDED,
    WHOLE,
    Alert,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    RunStarted,
    Sample,
    StateChanged,
    Step,
)

ALERTS_KEPT: Final = 20
"""That are no errors."""

COMMANDS_KEPT: Final = 10

ERRORS_KEPT: Final = 500
"""A returning viewer sees every error; only an error of our own could make more of them."""


@dataclass
class Absence:
    """What happened after step `since_step`, in the `seconds` up to the last event, which was at `until` (unix)."""

    since_step: int = 0
    step: int = 0
    seconds: float = 0.0
    """Without what a clock that was set back took off."""
    until: float = 0.0
    from_start: bool = False
    """Whether no viewer was ever attached."""
    evaluations: int = 0
    best: Evaluation | None = None
    """The best evaluation, if one was better than all before the absence."""
    best_at: float = 0.0
    """What `seconds` was at that evaluation."""
    checkpoints: int = 0
    samples: int = 0
    resumes: int = 0
    resumed_from: int = 0
    """The step of the last resume."""
    alerts: tuple[Alert, ...] = ()
    """Every error, and the newest of the others; oldest first."""
    alert_count: int = 0
    commands: tuple[CommandApplied, ...] = ()
    """The newest that were given, oldest first."""
    command_count: int = 0
    ended: str = ""
    """Why the run ended, if it did."""

    @classmethod
    def since(cls, time: float, step: int) -> "Absence":
        return cls(since_step=step, step=step, until=time)

    @property
    def eventful(self) -> bool:
        return self.step != self.since_step or bool(
            self.alert_count or self.command_count or self.ended or self.resumes
        )

    @property
    def best_age(self) -> float:
        """Seconds between the best evaluation and the last event."""
        return self.seconds - self.best_at

    def apply(self, event: Event) -> None:
        self.seconds += max(0.0, event.time - (self.until or event.time))
        self.until = event.time
        match event:
            case Step():
                self.step = event.step
            case Evaluation(part=part) if part == WHOLE:
                self.evaluations += 1
                if event.best:
                    self.best, self.best_at = event, self.seconds
            case CheckpointSaved():
                self.checkpoints += 1
            case Sample():
                self.samples += 1
            case RunStarted() if event.step:
                self.resumes += 1
                self.resumed_from = self.step = event.step
            case Alert():
                self._apply_alert(event)
            case CommandApplied() if event.name not in ("attach", "detach"):
                self.commands = (*self.commands, event)[-COMMANDS_KEPT:]
                self.command_count += 1
            case StateChanged():
                ended = event.state in ENDED
                self.ended = f"{event.state}: {event.reason}" if ended and event.reason else event.state * ended

    def _apply_alert(self, alert: Alert) -> None:
        self.alert_count += 1
        self.alerts = (*self.alerts, alert)
        error = alert.severity == Severity.ERROR
        alike = [number for number, kept in enumerate(self.alerts) if (kept.severity == Severity.ERROR) == error]
        if len(alike) > (ERRORS_KEPT if error else ALERTS_KEPT):
            self.alerts = self.alerts[: alike[0]] + self.alerts[alike[0] + 1 :]


@dataclass
class AbsenceTracker:
    """Counts the viewers of a run by the commands in its journal, and records what happens while there is none."""

    viewers: int = 0
    current: Absence = field(default_factory=lambda: Absence(from_start=True))

    def apply(self, event: Event) -> None:
        match event:
            case CommandApplied(name="attach"):
                self.viewers += 1
            case CommandApplied(name="detach"):
                self.viewers = max(0, self.viewers - 1)
                self.current = Absence.since(event.time, event.step)
            case RunStarted() if self.viewers:  # the process before it ended without their detach
                self.viewers = 0
                self.current = Absence.since(self.current.until, self.current.step)
        self.current.apply(event)

    def absence(self) -> Absence | None:
        """A copy of the present one; None while a viewer is attached."""
        return None if self.viewers else replace(self.current)
