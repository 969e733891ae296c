"""Folds the events of a run, in order, into a snapshot of what the screens show."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.analysis.smoothing import Smoother
from tui_trainer.history.history import BUCKETS, History
from tui_trainer.history.measurements import evaluation_numbers, step_numbers
from tui_trainer.run import journal
from tui_trainer.run.events import (
    ENDED,
    EVENTS,
    SAMPLE,
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
from tui_trainer.state.absence import AbsenceTracker
from tui_trainer.state.clock import TrainingClock
from tui_trainer.state.marks import mark_of, with_mark
from tui_trainer.state.samples import same_sample
from tui_trainer.state.snapshot import NOT_STORED, Snapshot

SMOOTHINGS: Final = {"light": "lightly_smoothed_loss", "normal": "smoothed_loss", "strong": "strongly_smoothed_loss"}
"""By strength: the metric, which is derived from the losses of all steps."""

HALF_LIVES: Final = {"lightly_smoothed_loss": 1 / 800, "smoothed_loss": 1 / 200, "strongly_smoothed_loss": 1 / 50}
"""Of the average that each is: as a part of the run's length."""

SMOOTHED: Final = SMOOTHINGS["normal"]

SAMPLES_KEPT: Final = 50
ALERTS_KEPT: Final = 50

DAMAGE_FACTOR: Final = 10
"""A measurement so many times beyond what is planned, and what was taken, is damage."""

UNPLANNED: Final = 10**7
"""Steps of a long run, where it is not known how many are planned."""

SINGLE_FIELDS: Final = ("last_step", "last_evaluation", "last_quick_evaluation", "best_evaluation", "last_checkpoint")
SEVERAL_FIELDS: Final = ("samples", "alerts", "marks")
"""Those of a snapshot whose events are dropped together with their steps."""


@dataclass
class RunState:
    """One thread at a time applies events. What a snapshot shows is replaced, not changed."""

    version: int = field(default=0, metadata=NOT_STORED)
    shown: Snapshot = field(default_factory=Snapshot)
    """All of the snapshot but for what `snapshot` derives."""
    first_samples: dict[str, Sample] = field(default_factory=dict)
    """The earliest sample of each prompt, for comparing before with after."""
    clipped: int = 0
    """Steps that were taken whose gradient was clipped, of so many `seen`; those that were dropped again count."""
    seen: int = 0
    clock: TrainingClock = field(default_factory=TrainingClock)
    smoothers: dict[str, Smoother] = field(default_factory=lambda: {name: Smoother(10.0) for name in HALF_LIVES})
    """By the metric that each makes of the losses."""
    absences: AbsenceTracker = field(default_factory=AbsenceTracker)

    @property
    def history(self) -> History:
        return self.shown.history

    def is_possible(self, event: Event) -> bool:
        """Whether the run can have come to the step of a measurement.

        A damaged line may tell of a step so late that all others would share one bucket of the history.
        """
        if event.step < BUCKETS or not isinstance(event, journal.OF_A_STEP):
            return True
        planned = self.shown.run.plan.steps if self.shown.run else 0
        return event.step <= DAMAGE_FACTOR * max(self.shown.step, planned or UNPLANNED)

    def apply(self, event: Event) -> None:
        """`record` and `show`, where no other thread takes a snapshot meanwhile."""
        self.record(event)
        self.show(event)

    def record(self, event: Event) -> None:
        """Change the history alone, before the event is shown.

        Other threads may take snapshots meanwhile: it may take a tenth of a second, as arrays are made anew.
        """
        match event:
            case Step():
                smoothers = {name: replace(each) for name, each in self.smoothers.items()}  # snapshots read the others
                derived = {name: each.update(event.loss) for name, each in smoothers.items()}
                derived["elapsed"] = self.clock.elapsed_after(event)
                self.history.add(event.step, step_numbers(event) | derived)
                self.smoothers = smoothers
            case Evaluation():
                self._record_evaluation(event)
            case RunStarted() | BranchStarted():
                self.history.drop_after(event.step)

    def _record_evaluation(self, event: Evaluation) -> None:
        """A run resumed from a checkpoint that was saved amid an evaluation does it again: the later one counts."""
        numbers, before = evaluation_numbers(event), self.shown.last_evaluation
        if before is not None and before.step == event.step:
            self.history.forget(event.step, numbers)
        self.history.add(event.step, numbers)

    def show(self, event: Event) -> None:
        """Change all but the history; not while another thread takes a snapshot."""
        self.version += 1
        if isinstance(event, Step) and self.shown.state == "loading":  # of another tool, which has no state events
            self.show(StateChanged(step=event.step, time=event.time, state="running"))
        if event.journalled:  # so that the same follows from the journal
            self.absences.apply(event)
        self.clock.apply(event)
        changes = CHANGES[type(event)](self, event)
        if (mark := mark_of(event)) is not None:
            changes["marks"] = with_mark(changes.get("marks", self.shown.marks), mark)
        self.shown = self.shown.changed(changes)

    def snapshot(self) -> Snapshot:
        """A frozen copy; nothing in it changes later."""
        shown = self.shown
        steps = shown.run.plan.steps if shown.run else 0
        derived = {
            "version": self.version,
            "smoothed_loss": self.smoothers[SMOOTHED].update(None),
            "step_seconds": self.clock.step_seconds,
            "tokens_per_second": self._tokens_per_second,
            "time_left": self.clock.left(steps - shown.step) if steps and shown.state not in ENDED else None,
            "elapsed": self.clock.elapsed,
            "clipped_share": self._clipped_share,
            "absence": self.absences.absence(),
        }
        return shown.changed(derived)

    @property
    def _clipped_share(self) -> float | None:
        known = self.shown.run is not None and self.shown.run.plan.clip is not None
        return self.clipped / self.seen if known and self.seen else None

    @property
    def _tokens_per_second(self) -> float | None:
        """From the averaged step time, so that the two never contradict each other."""
        run, step, seconds = self.shown.run, self.shown.last_step, self.clock.step_seconds
        tokens = run.plan.tokens_per_step if run else 0
        return tokens / seconds if tokens and seconds else step.tokens_per_second if step else None

    # -- what changes in the snapshot with each kind of event ----------------------------------------------------------

    def step_taken(self, event: Step) -> dict[str, Any]:
        self.seen += 1
        run = self.shown.run
        clip = run.plan.clip if run else None
        self.clipped += bool(clip) and (event.grad_norm or 0) > (clip or 0)
        return {"last_step": event, "step": event.step}

    def evaluated(self, event: Evaluation) -> dict[str, Any]:
        if event.part == SAMPLE:
            return {"last_quick_evaluation": event}
        return {"last_evaluation": event} | ({"best_evaluation": event} if event.best else {})

    def sampled(self, event: Sample) -> dict[str, Any]:
        first = self.first_samples.get(event.prompt, event)
        # At the end of a run that has two models the best one writes a sample of an earlier step.
        self.first_samples[event.prompt] = first if first.step <= event.step else event
        others = [sample for sample in self.shown.samples if not same_sample(event, sample)]
        return {"samples": (event, *others)[:SAMPLES_KEPT], "partial_sample": None}

    def stage_reached(self, event: Stage) -> dict[str, Any]:
        before, done = self.shown.stage, self.shown.stages_done
        changed = before is not None and before.stage != event.stage
        return {"stage": event, "stages_done": (*done, before.stage) if before and changed else done}

    def started(self, event: RunStarted) -> dict[str, Any]:
        """A trainer starts the run, or resumes it."""
        run = self.shown.run
        self._smooth_for(event.plan.steps)
        return self._dropped_after(event.step) | {
            "state": "loading",
            "reason": "",
            "model": "",
            "run": event if run is None else replace(event, reasons=_still_hold(run, event)),
            "schedule": _schedule(event.plan) if event.plan.schedule else None,
            "temperature": event.sampling.temperature,
            "prompt": event.sampling.prompt,
        }

    def branch_started(self, event: BranchStarted) -> dict[str, Any]:
        """Drop what happened after its first step, on another branch."""
        return self._dropped_after(event.step)

    def _dropped_after(self, step: int) -> dict[str, Any]:
        """What changes as steps after `step` are not part of the run any more; the absence keeps their alerts."""
        self.first_samples = {prompt: first for prompt, first in self.first_samples.items() if first.step <= step}
        shown = vars(self.shown)
        single = {name: event if (event := shown[name]) and event.step <= step else None for name in SINGLE_FIELDS}
        several = {name: tuple(event for event in shown[name] if event.step <= step) for name in SEVERAL_FIELDS}
        last = single["last_step"]
        return single | several | {"step": last.step if last else step}

    def schedule_changed(self, event: ScheduleChanged) -> dict[str, Any]:
        self._smooth_for(event.steps)
        run = self.shown.run
        if run is not None:
            changes = {name: getattr(event, name) for name in ("steps", "schedule", "lr", "min_lr", "warmup")}
            reasons = run.reasons | ({"steps": event.reason} if event.reason else {})
            run = replace(run, reasons=reasons, plan=replace(run.plan, **changes))
        length = event.warmup, event.steps
        schedule = Schedule(event.schedule, event.lr, event.min_lr, *length, event.factor, event.until)
        return {"run": run, "schedule": schedule}

    def alerted(self, event: Alert) -> dict[str, Any]:
        return {"alerts": (event, *self.shown.alerts)[:ALERTS_KEPT]}

    def _smooth_for(self, steps: int) -> None:
        """Smooth the loss over a part of a run of so many steps."""
        self.smoothers = {
            name: each.with_half_life(max(10 * 200 * HALF_LIVES[name], steps * HALF_LIVES[name]))
            for name, each in self.smoothers.items()
        }


def _command_applied(state: RunState, event: CommandApplied) -> dict[str, Any]:
    match event:
        case CommandApplied(name="set_temperature", value=float() | int() as temperature):
            return {"temperature": temperature}
        case CommandApplied(name="set_prompt", value=str() as prompt):
            return {"prompt": prompt}
    return {}


CHANGES: Final[dict[type[Event], Callable[[RunState, Any], dict[str, Any]]]] = {
    **dict.fromkeys(EVENTS.values(), lambda state, event: {}),
    Step: RunState.step_taken,
    Evaluation: RunState.evaluated,
    Sample: RunState.sampled,
    PartialSample: lambda state, event: {"partial_sample": event},
    StateChanged: lambda state, event: {
        "state": event.state,
        "reason": event.reason,
        "model": event.model,
        "activity": "",
    },
    Stage: RunState.stage_reached,
    Activity: lambda state, event: {"activity": event.doing},
    RunStarted: RunState.started,
    BranchStarted: RunState.branch_started,
    ScheduleChanged: RunState.schedule_changed,
    CheckpointSaved: lambda state, event: {"last_checkpoint": event},
    Alert: RunState.alerted,
    Resources: lambda state, event: {"resources": event},
    CommandApplied: _command_applied,
}
"""What an event changes in the snapshot, by its kind."""


def _still_hold(before: RunStarted, after: RunStarted) -> dict[str, str]:
    """The reasons for what a run chose at first, without that for a length it no longer has."""
    same = before.plan.steps == after.plan.steps
    return {name: why for name, why in before.reasons.items() if name != "steps" or same} | after.reasons


def _schedule(plan: RunPlan) -> Schedule:
    return Schedule(plan.schedule, plan.lr, plan.min_lr, plan.warmup, plan.steps)
