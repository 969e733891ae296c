"""What a run looks like now: events folded into one state, and the frozen snapshot a screen draws from."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tui_trainer.analysis.perplexity import perplexity
from tui_trainer.analysis.schedules import Schedule
from tui_trainer.analysis.smoothing import Smoother
from tui_trainer.history.series import Curve, Series
from tui_trainer.run.events import (
    Activity,
    Alert,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    PartialSample,
    Resources,
    RunStarted,
    Sample,
    ScheduleChanged,
    Stage,
    StateChanged,
    Step,
)
from tui_trainer.state.absence import Absence, AbsenceTracker
from tui_trainer.state.clock import TrainingClock
from tui_trainer.state.samples import same_sample

SERIES: Final = ("loss", "smoothed_loss", "val_loss", "perplexity", "val_perplexity", "lr", "grad_norm", "weight_norm")
SAMPLES_KEPT: Final = 50
ALERTS_KEPT: Final = 50
MARKS_KEPT: Final = 200


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment; `version` grows with every event, so an equal version means nothing changed."""

    version: int = 0
    state: str = "loading"
    reason: str = ""
    model: str = ""
    """Which of the two models of a finished run writes samples, `last` or `best`; empty where there is one."""
    stage: Stage | None = None
    stages_done: tuple[str, ...] = ()
    activity: str = ""
    """What the trainer does beside taking steps; empty while it does nothing else."""
    run: RunStarted | None = None
    step: int = 0
    last_step: Step | None = None
    smoothed_loss: float | None = None
    step_seconds: float | None = None
    """Averaged time of an optimizer step alone."""
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    elapsed: float = 0.0
    """Seconds spent training, pauses left out."""
    clipped_share: float | None = None
    """Part of the steps, since the trainer took the run up, whose gradient was clipped."""
    last_evaluation: Evaluation | None = None
    best_evaluation: Evaluation | None = None
    samples: tuple[Sample, ...] = ()
    """Newest first."""
    partial_sample: PartialSample | None = None
    last_checkpoint: CheckpointSaved | None = None
    alerts: tuple[Alert, ...] = ()
    """Newest first."""
    resources: Resources | None = None
    temperature: float = 1.0
    prompt: str = ""
    series: Mapping[str, Curve] = field(default_factory=dict)
    absence: Absence | None = None
    """What happened since nobody looks; None while somebody does."""
    marks: tuple[Alert, ...] = ()
    """Where the run was repaired or threatened, oldest first; for the charts."""

    schedule: Schedule | None = None
    """The learning rate of the steps to come."""


class RunState:
    """Folds events, in order, into what the screens show."""

    def __init__(self) -> None:
        self.version = 0
        self.first_samples: dict[str, Sample] = {}
        """The earliest sample of each prompt, for comparing before with after."""
        self._state = StateChanged(state="loading")
        self._stage: Stage | None = None
        self._stages_done: list[str] = []
        self._activity = ""
        self._run: RunStarted | None = None
        self._schedule: Schedule | None = None
        self._step: Step | None = None
        self._evaluation: Evaluation | None = None
        self._best: Evaluation | None = None
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_KEPT)
        self._partial: PartialSample | None = None
        self._checkpoint: CheckpointSaved | None = None
        self._alerts: deque[Alert] = deque(maxlen=ALERTS_KEPT)
        self._resources: Resources | None = None
        self._temperature = 1.0
        self._prompt = ""
        self._clipped = 0
        self._seen = 0
        self._clock = TrainingClock()
        self._series = {name: Series() for name in SERIES}
        self._loss_smoother = Smoother(10)
        self._absences = AbsenceTracker()
        self._marks: deque[Alert] = deque(maxlen=MARKS_KEPT)

    def apply(self, event: Event) -> None:
        self.version += 1
        self._absences.apply(event)
        self._clock.apply(event)
        match event:
            case Step():
                self._apply_step(event)
            case Evaluation():
                self._apply_evaluation(event)
            case Sample():
                for sample in [sample for sample in self._samples if same_sample(event, sample)]:
                    self._samples.remove(sample)
                self._samples.appendleft(event)
                self.first_samples.setdefault(event.prompt, event)
                self._partial = None
            case PartialSample():
                self._partial = event
            case StateChanged():
                self._state = event
                self._activity = ""
            case Stage():
                if self._stage is not None and self._stage.stage != event.stage:
                    self._stages_done.append(self._stage.stage)
                self._stage = event
            case Activity():
                self._activity = event.doing
            case RunStarted():
                self._apply_start(event)
            case ScheduleChanged():
                self._apply_schedule(event)
            case CheckpointSaved():
                self._checkpoint = event
            case Alert():
                self._alerts.appendleft(event)
                if event.severity != "info":
                    self._marks.append(event)
            case Resources():
                self._resources = event
            case CommandApplied(name="set_temperature", value=float() | int() as temperature):
                self._temperature = temperature
            case CommandApplied(name="set_prompt", value=str() as prompt):
                self._prompt = prompt

    def _apply_start(self, event: RunStarted) -> None:
        self._state = StateChanged(step=event.step, time=event.time, state="loading")
        self._run = event if self._run is None else replace(event, reasons=_still_hold(self._run, event))
        self._schedule = Schedule(event.schedule, event.lr, event.min_lr, event.warmup, event.steps)
        self._temperature, self._prompt = event.temperature, event.prompt
        self._smooth_for(event.steps)
        for series in self._series.values():
            series.drop_after(event.step)
        if self._step is not None and self._step.step > event.step:
            self._step = None
        if self._evaluation is not None and self._evaluation.step > event.step:
            self._evaluation = None
        self._clipped = self._seen = 0

    def _apply_schedule(self, event: ScheduleChanged) -> None:
        if self._run is None:
            return
        plan = {name: getattr(event, name) for name in ("steps", "schedule", "lr", "min_lr", "warmup")}
        reasons = self._run.reasons | ({"steps": event.reason} if event.reason else {})
        self._run = replace(self._run, reasons=reasons, **plan)
        self._schedule = Schedule(event.schedule, event.lr, event.min_lr, event.warmup, event.steps)
        self._schedule = replace(self._schedule, factor=event.factor, until=event.until)
        self._smooth_for(event.steps)

    def _smooth_for(self, steps: int) -> None:
        """Smooth the loss over a part of a run of so many steps."""
        self._loss_smoother = self._loss_smoother.with_half_life(max(10, steps / 200))

    def _apply_step(self, event: Step) -> None:
        self._step = event
        self._seen += 1
        self._clipped += self._run is not None and bool(self._run.clip) and (event.grad_norm or 0) > self._run.clip
        smoothed = self._loss_smoother.update(event.loss)
        values = {
            "loss": event.loss,
            "smoothed_loss": smoothed,
            "perplexity": None if smoothed is None else perplexity(smoothed),
            "lr": event.lr,
            "grad_norm": event.grad_norm,
            "weight_norm": event.weight_norm,
        }
        for name, value in values.items():
            self._series[name].append(event.step, value)

    def _apply_evaluation(self, event: Evaluation) -> None:
        """A run resumed from a checkpoint that was saved amid an evaluation does it again: the later one counts."""
        if self._evaluation is not None and self._evaluation.step == event.step:
            self._series["val_loss"].drop_after(event.step - 1)
            self._series["val_perplexity"].drop_after(event.step - 1)
        self._evaluation = event
        if event.best:
            self._best = event
        self._series["val_loss"].append(event.step, event.val_loss)
        self._series["val_perplexity"].append(event.step, event.perplexity)

    @property
    def _tokens_per_second(self) -> float | None:
        """From the averaged step time, so that the two never contradict each other."""
        seconds = self._clock.step_seconds
        return self._run.tokens_per_step / seconds if self._run and seconds else None

    def snapshot(self) -> Snapshot:
        """A frozen copy; nothing in it changes later."""
        step, run = self._step, self._run
        current = step.step if step else (run.step if run else 0)
        return Snapshot(
            version=self.version,
            state=self._state.state,
            reason=self._state.reason,
            model=self._state.model,
            stage=self._stage,
            stages_done=tuple(self._stages_done),
            activity=self._activity,
            run=run,
            step=current,
            last_step=step,
            smoothed_loss=self._loss_smoother.update(None),
            step_seconds=self._clock.step_seconds,
            tokens_per_second=self._tokens_per_second,
            seconds_left=self._clock.seconds_left(run.steps - current) if run else None,
            elapsed=self._clock.elapsed,
            clipped_share=self._clipped / self._seen if self._seen else None,
            last_evaluation=self._evaluation,
            best_evaluation=self._best,
            samples=tuple(self._samples),
            partial_sample=self._partial,
            last_checkpoint=self._checkpoint,
            alerts=tuple(self._alerts),
            resources=self._resources,
            temperature=self._temperature,
            prompt=self._prompt,
            series={name: series.curve() for name, series in self._series.items()},
            absence=self._absences.absence(),
            marks=tuple(self._marks),
            schedule=self._schedule,
        )


def _still_hold(before: RunStarted, after: RunStarted) -> dict[str, str]:
    """The reasons for what a run chose at first, without that for a length it no longer has."""
    kept = {name: why for name, why in before.reasons.items() if name != "steps" or before.steps == after.steps}
    return kept | after.reasons
