"""What a run looks like now: events folded into one state, and the frozen snapshot a screen draws from."""

from dataclasses import dataclass, field, replace
from typing import Final

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.analysis.smoothing import Smoother
from tui_trainer.history.history import History
from tui_trainer.history.measurements import evaluation_numbers, step_numbers
from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import (
    Activity,
    Alert,
    BranchStarted,
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
from tui_trainer.run.run_parts import RunPlan
from tui_trainer.state.absence import Absence, AbsenceTracker
from tui_trainer.state.clock import TrainingClock
from tui_trainer.state.samples import same_sample

SMOOTHED: Final = "smoothed_loss"
"""The metric that is derived from the others."""

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
    history: History = field(default_factory=History)
    """Is asked for windows, and goes on with the run: a window that ends at `step` has all up to this moment."""
    absence: Absence | None = None
    """What happened since nobody looks; None while somebody does."""
    marks: tuple[Alert, ...] = ()
    """Where the run was repaired or threatened, oldest first; for the charts."""

    schedule: Schedule | None = None
    """The learning rate of the steps to come."""


NOT_STORED: Final = {"stored": False}
"""Marks what does not follow from the journal, or is stored otherwise."""


@dataclass
class RunState:
    """Folds events, in order, into what the screens show. Whatever a snapshot shows is replaced, not changed."""

    history: History = field(default_factory=History, metadata=NOT_STORED)
    version: int = field(default=0, metadata=NOT_STORED)
    first_samples: dict[str, Sample] = field(default_factory=dict)
    """The earliest sample of each prompt, for comparing before with after."""
    state: StateChanged = field(default_factory=lambda: StateChanged(state="loading", time=0.0))
    stage: Stage | None = field(default=None, metadata=NOT_STORED)
    stages_done: tuple[str, ...] = field(default=(), metadata=NOT_STORED)
    activity: str = field(default="", metadata=NOT_STORED)
    run: RunStarted | None = None
    schedule: Schedule | None = None
    step: Step | None = None
    evaluation: Evaluation | None = None
    best: Evaluation | None = None
    samples: tuple[Sample, ...] = ()
    partial: PartialSample | None = field(default=None, metadata=NOT_STORED)
    checkpoint: CheckpointSaved | None = None
    alerts: tuple[Alert, ...] = ()
    resources: Resources | None = None
    temperature: float = 1.0
    prompt: str = ""
    clipped: int = 0
    """Steps since the trainer took the run up whose gradient was clipped, of so many `seen`."""
    seen: int = 0
    clock: TrainingClock = field(default_factory=TrainingClock)
    loss_smoother: Smoother = field(default_factory=lambda: Smoother(10.0))
    absences: AbsenceTracker = field(default_factory=AbsenceTracker)
    marks: tuple[Alert, ...] = ()

    def apply(self, event: Event) -> None:
        self.version += 1
        if isinstance(event, Step) and self.state.state == "loading":  # of another tool, which tells no state
            self.state = StateChanged(step=event.step, time=event.time, state="running")
            self.clock.apply(self.state)
        if event.journalled:  # so that the journal tells the same to whoever reads it later
            self.absences.apply(event)
        self.clock.apply(event)
        match event:
            case Step():
                self._apply_step(event)
            case Evaluation():
                self._apply_evaluation(event)
            case Sample():
                others = [sample for sample in self.samples if not same_sample(event, sample)]
                self.samples = (event, *others)[:SAMPLES_KEPT]
                self.first_samples.setdefault(event.prompt, event)
                self.partial = None
            case PartialSample():
                self.partial = event
            case StateChanged():
                self.state = event
                self.activity = ""
            case Stage():
                if self.stage is not None and self.stage.stage != event.stage:
                    self.stages_done += (self.stage.stage,)
                self.stage = event
            case Activity():
                self.activity = event.doing
            case RunStarted():
                self._apply_start(event)
            case BranchStarted():
                self._apply_branch(event)
            case ScheduleChanged():
                self._apply_schedule(event)
            case CheckpointSaved():
                self.checkpoint = event
            case Alert():
                self.alerts = (event, *self.alerts)[:ALERTS_KEPT]
                if event.severity != Severity.INFO:
                    self.marks = (*self.marks, event)[-MARKS_KEPT:]
            case Resources():
                self.resources = event
            case CommandApplied(name="set_temperature", value=float() | int() as temperature):
                self.temperature = temperature
            case CommandApplied(name="set_prompt", value=str() as prompt):
                self.prompt = prompt

    def _apply_start(self, event: RunStarted) -> None:
        self.state = StateChanged(step=event.step, time=event.time, state="loading")
        self.run = event if self.run is None else replace(event, reasons=_still_hold(self.run, event))
        self.schedule = _schedule(event.plan) if event.plan.schedule else None
        self.temperature, self.prompt = event.sampling.temperature, event.sampling.prompt
        self._smooth_for(event.plan.steps)
        self._drop_after(event.step)

    def _apply_branch(self, event: BranchStarted) -> None:
        """What happened after its first step was on another branch."""
        self._drop_after(event.step)
        if self.best is not None and self.best.step > event.step:
            self.best = None
        self.samples = tuple(sample for sample in self.samples if sample.step <= event.step)
        self.alerts = tuple(alert for alert in self.alerts if alert.step <= event.step)
        self.marks = tuple(mark for mark in self.marks if mark.step <= event.step)

    def _drop_after(self, step: int) -> None:
        self.history.drop_after(step)
        if self.step is not None and self.step.step > step:
            self.step = None
        if self.evaluation is not None and self.evaluation.step > step:
            self.evaluation = None
        self.clipped = self.seen = 0

    def _apply_schedule(self, event: ScheduleChanged) -> None:
        self.schedule = Schedule(
            event.schedule, event.lr, event.min_lr, event.warmup, event.steps, event.factor, event.until
        )
        self._smooth_for(event.steps)
        if self.run is not None:
            changes = {name: getattr(event, name) for name in ("steps", "schedule", "lr", "min_lr", "warmup")}
            reasons = self.run.reasons | ({"steps": event.reason} if event.reason else {})
            self.run = replace(self.run, reasons=reasons, plan=replace(self.run.plan, **changes))

    def _smooth_for(self, steps: int) -> None:
        """Smooth the loss over a part of a run of so many steps."""
        self.loss_smoother = self.loss_smoother.with_half_life(max(10, steps / 200))

    def _apply_step(self, event: Step) -> None:
        self.step = event
        self.seen += 1
        clip = self.run.plan.clip if self.run else None
        self.clipped += bool(clip) and (event.grad_norm or 0) > (clip or 0)
        self.history.add(event.step, step_numbers(event) | {SMOOTHED: self.loss_smoother.update(event.loss)})

    def _apply_evaluation(self, event: Evaluation) -> None:
        """A run resumed from a checkpoint that was saved amid an evaluation does it again: the later one counts."""
        numbers = evaluation_numbers(event)
        if self.evaluation is not None and self.evaluation.step == event.step:
            self.history.forget(event.step, numbers)
        self.evaluation = event
        if event.best:
            self.best = event
        self.history.add(event.step, numbers)

    @property
    def _tokens_per_second(self) -> float | None:
        """From the averaged step time, so that the two never contradict each other."""
        seconds, tokens = self.clock.step_seconds, self.run.plan.tokens_per_step if self.run else 0
        return tokens / seconds if tokens and seconds else self.step.tokens_per_second if self.step else None

    def snapshot(self) -> Snapshot:
        """A frozen copy; nothing in it changes later."""
        step, run = self.step, self.run
        current = step.step if step else (run.step if run else 0)
        return Snapshot(
            version=self.version,
            state=self.state.state,
            reason=self.state.reason,
            model=self.state.model,
            stage=self.stage,
            stages_done=self.stages_done,
            activity=self.activity,
            run=run,
            step=current,
            last_step=step,
            smoothed_loss=self.loss_smoother.update(None),
            step_seconds=self.clock.step_seconds,
            tokens_per_second=self._tokens_per_second,
            seconds_left=self.clock.seconds_left(run.plan.steps - current) if run and run.plan.steps else None,
            elapsed=self.clock.elapsed,
            clipped_share=self.clipped / self.seen if self.seen else None,
            last_evaluation=self.evaluation,
            best_evaluation=self.best,
            samples=self.samples,
            partial_sample=self.partial,
            last_checkpoint=self.checkpoint,
            alerts=self.alerts,
            resources=self.resources,
            temperature=self.temperature,
            prompt=self.prompt,
            history=self.history,
            absence=self.absences.absence(),
            marks=self.marks,
            schedule=self.schedule,
        )


def _still_hold(before: RunStarted, after: RunStarted) -> dict[str, str]:
    """The reasons for what a run chose at first, without that for a length it no longer has."""
    same = before.plan.steps == after.plan.steps
    return {name: why for name, why in before.reasons.items() if name != "steps" or same} | after.reasons


def _schedule(plan: RunPlan) -> Schedule:
    return Schedule(plan.schedule, plan.lr, plan.min_lr, plan.warmup, plan.steps)
