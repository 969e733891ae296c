"""What happened while no viewer was attached: since the last one left, or since the start of the run."""

from dataclasses import dataclass, field
from typing import Final

from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import (
    ENDED,
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
from tui_trainer.run.text import human_seconds

ALERTS_KEPT: Final = 20
"""That are no errors."""

COMMANDS_KEPT: Final = 10

ERRORS_KEPT: Final = 500
"""A returning viewer sees every error; only an error of our own could make more of them."""


@dataclass(frozen=True)
class Absence:
    """What happened after step `since_step`, in the `seconds` up to the last event, which was at `until` (unix)."""

    since_step: int
    step: int
    seconds: float
    """Without what a clock that was set back took off."""
    until: float
    from_start: bool = False
    """Whether no viewer was ever attached."""
    evaluations: int = 0
    best: Evaluation | None = None
    """The best evaluation, if one was better than all before the absence."""
    best_age: float = 0.0
    """Seconds between that and the last event."""
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

    @property
    def eventful(self) -> bool:
        return self.step != self.since_step or bool(
            self.alert_count or self.command_count or self.ended or self.resumes
        )


@dataclass
class AbsenceTracker:
    """Counts the viewers of a run by the commands in its journal, and records what happens while there is none."""

    viewers: int = 0
    recorder: "AbsenceRecorder" = field(default_factory=lambda: AbsenceRecorder(from_start=True))

    def apply(self, event: Event) -> None:
        match event:
            case CommandApplied(name="attach"):
                self.viewers += 1
            case CommandApplied(name="detach"):
                self.viewers = max(0, self.viewers - 1)
                self.recorder = AbsenceRecorder.since(event.time, event.step)
            case RunStarted() if self.viewers:  # the process before it ended without their detach
                self.viewers = 0
                self.recorder = AbsenceRecorder.since(self.recorder.until, self.recorder.step)
        self.recorder.apply(event)

    def absence(self) -> Absence | None:
        """None while a viewer is attached."""
        return None if self.viewers else self.recorder.absence()


@dataclass
class AbsenceRecorder:
    """Gathers an absence from the events in it: the fields are those of `Absence`."""

    since_step: int = 0
    step: int = 0
    seconds: float = 0.0
    until: float = 0.0
    from_start: bool = False
    evaluations: int = 0
    best: Evaluation | None = None
    best_at: float = 0.0
    """What `seconds` was at the best evaluation."""
    checkpoints: int = 0
    samples: int = 0
    resumes: int = 0
    resumed_from: int = 0
    alerts: tuple[Alert, ...] = ()
    alert_count: int = 0
    commands: tuple[CommandApplied, ...] = ()
    command_count: int = 0
    ended: str = ""

    @classmethod
    def since(cls, time: float, step: int) -> "AbsenceRecorder":
        return cls(since_step=step, step=step, until=time)

    def apply(self, event: Event) -> None:
        self.seconds += max(0.0, event.time - (self.until or event.time))
        self.until = event.time
        match event:
            case Step():
                self.step = event.step
            case Evaluation():
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

    def absence(self) -> Absence:
        values = vars(self).copy()
        best_at = values.pop("best_at")
        return Absence(**values, best_age=self.seconds - best_at)


def describe(
    absence: Absence, steps: int, seconds_left: float | None, now: float, paused: bool = False
) -> list[tuple[str, str]]:
    """The absence as it looks at `now` (unix seconds): lines of a heading and what there is to say; alerts last.

    `paused` says whether the run is.
    """
    lines = [("Steps", _steps(absence, steps)), _validation(absence, now)]
    lines.append(("Saved", f"{_counted(absence.checkpoints, 'checkpoint')}, {_counted(absence.samples, 'sample')}"))
    if absence.resumes:
        times = _counted(absence.resumes, "time") + ", the last" * (absence.resumes > 1)
        lines.append(("Taken up again", f"{times} from step {absence.resumed_from:,}"))
    if absence.ended:
        lines.append(("Ended", absence.ended))
    elif paused:
        lines.append(("Now", f"paused at step {absence.step:,}"))
    elif seconds_left is not None:
        lines.append(("Time left", human_seconds(seconds_left)))
    lines += [("Commanded", _commanded(command)) for command in absence.commands]
    if (more := absence.command_count - len(absence.commands)) > 0:
        lines.append(("And", _counted(more, "older command")))
    more = absence.alert_count - len(absence.alerts)
    if not absence.alert_count:
        lines.append(("New alerts", "none"))
    lines += [(f"Step {alert.step:,}", f"{alert.severity}: {alert.message}") for alert in absence.alerts]
    return [*lines, ("And", f"{_counted(more, 'older alert')}")] if more > 0 else lines


def _steps(absence: Absence, steps: int) -> str:
    """A run that was resumed from an older checkpoint may be at an earlier step than before."""
    passed, taken = human_seconds(absence.seconds), absence.step - absence.since_step
    where = f"now at {absence.step:,}" + (f" of {steps:,}" if steps else "")
    return f"{taken:,} in {passed}, {where}" if taken >= 0 else f"{where}, {passed} after step {absence.since_step:,}"


def _commanded(command: CommandApplied) -> str:
    value = command.value
    argument = f" {value:g}" if isinstance(value, float) else f" “{value}”" if isinstance(value, str) else ""
    return f"{command.name.replace('_', ' ')}{argument} at step {command.step:,}, by {command.source}"


def _validation(absence: Absence, now: float) -> tuple[str, str]:
    best = absence.best
    if best is not None and best.val_loss is not None:
        ago = human_seconds(absence.best_age + max(0.0, now - (absence.until or now)))
        return "Best validation", f"{best.val_loss:.4f} at step {best.step:,}, {ago} ago"
    if not absence.evaluations:
        return "Validation", "none meanwhile"
    return "Validation", f"no better than before, in {_counted(absence.evaluations, 'evaluation')}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
