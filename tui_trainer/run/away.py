"""What happened while nobody looked: gathered from the moment the last viewer left."""

from dataclasses import dataclass
from typing import Final

from tui_trainer.run.events import Alert, CheckpointSaved, Evaluation, Event, RunStarted, Sample, StateChanged, Step
from tui_trainer.run.text import human_seconds

ALERTS_KEPT: Final = 20
"""That are no errors."""

ERRORS_KEPT: Final = 500
"""Whoever comes back is told of every error: so many there cannot be but by an error of our own."""


@dataclass(frozen=True)
class Absence:
    """What happened after step `since_step`, from `since` to `until` (unix seconds)."""

    since: float
    until: float
    since_step: int
    step: int
    best: Evaluation | None = None
    """The best evaluation, if one was better than all before the absence."""
    checkpoints: int = 0
    samples: int = 0
    resumes: int = 0
    alerts: tuple[Alert, ...] = ()
    """Every error, and the newest of the others; oldest first."""
    alert_count: int = 0
    ended: str = ""
    """Why the run ended, if it did."""

    @property
    def eventful(self) -> bool:
        return self.step > self.since_step or bool(self.alert_count or self.ended)


class AbsenceRecorder:
    """Gathers an absence from the events in it."""

    def __init__(self, since: float = 0.0, step: int = 0) -> None:
        self._since, self._until, self._since_step, self._step = since, since, step, step
        self._best: Evaluation | None = None
        self._checkpoints = self._samples = self._resumes = self._alert_count = 0
        self._alerts: list[Alert] = []
        self._ended = ""

    def apply(self, event: Event) -> None:
        self._since = self._since or event.time
        self._until = event.time
        match event:
            case Step():
                self._step = event.step
            case Evaluation(best=True):
                self._best = event
            case CheckpointSaved():
                self._checkpoints += 1
            case Sample():
                self._samples += 1
            case RunStarted():
                self._resumes += event.step > 0
            case Alert():
                self._take_alert(event)
            case StateChanged():
                ended = event.state in ("finished", "stopped", "failed")
                self._ended = f"{event.state}: {event.reason}" if ended and event.reason else event.state * ended

    def _take_alert(self, alert: Alert) -> None:
        self._alert_count += 1
        self._alerts.append(alert)
        error = alert.severity == "error"
        alike = [kept for kept in self._alerts if (kept.severity == "error") == error]
        if len(alike) > (ERRORS_KEPT if error else ALERTS_KEPT):
            self._alerts.remove(alike[0])

    def absence(self) -> Absence:
        return Absence(
            since=self._since,
            until=self._until,
            since_step=self._since_step,
            step=self._step,
            best=self._best,
            checkpoints=self._checkpoints,
            samples=self._samples,
            resumes=self._resumes,
            alerts=tuple(self._alerts),
            alert_count=self._alert_count,
            ended=self._ended,
        )


def describe(absence: Absence, steps: int, seconds_left: float | None) -> list[tuple[str, str]]:
    """The absence in lines, each a heading and what there is to say; alerts last."""
    step, passed = absence.step, human_seconds(absence.until - absence.since)
    lines = [("Steps", f"{step - absence.since_step:,} in {passed}, now at {step:,} of {steps:,}")]
    best = absence.best
    if best is None or best.val_loss is None:
        lines.append(("Validation", "no better than before"))
    else:
        ago = human_seconds(absence.until - best.time)
        lines.append(("Best validation", f"{best.val_loss:.4f} at step {best.step:,}, {ago} ago"))
    lines.append(("Saved", f"{_counted(absence.checkpoints, 'checkpoint')}, {_counted(absence.samples, 'sample')}"))
    if absence.resumes:
        lines.append(("Taken up again", _counted(absence.resumes, "time")))
    if absence.ended:
        lines.append(("Ended", absence.ended))
    elif seconds_left is not None:
        lines.append(("Time left", human_seconds(seconds_left)))
    more = absence.alert_count - len(absence.alerts)
    if not absence.alert_count:
        lines.append(("Alerts", "none"))
    lines += [(f"Step {alert.step:,}", f"{alert.severity}: {alert.message}") for alert in absence.alerts]
    return [*lines, ("And", f"{_counted(more, 'older alert')}")] if more > 0 else lines


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
