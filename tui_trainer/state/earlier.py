"""A run as it was at an earlier step, from its history and from what its journal tells beside the steps."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, TypeVar

import numpy as np

from tui_trainer.history.history import History
from tui_trainer.run.events import WHOLE, Alert, CheckpointSaved, Evaluation, Event, Sample, Step
from tui_trainer.state.marks import KEPT, Mark, mark_of
from tui_trainer.state.run_state import ALERTS_KEPT, SAMPLES_KEPT
from tui_trainer.state.snapshot import Snapshot

SHOWN: Final = ("loss", "lr", "grad_norm", "weight_norm", "tokens")
"""Metrics of a step."""

STEPS_TIMED: Final = 0.02
"""Part of the steps so far over which the time of a step is averaged."""

SomeEvent = TypeVar("SomeEvent", bound=Event | Mark)

_by_step = attrgetter("step")


@dataclass(frozen=True)
class OtherEvents:
    """What happened in a run beside its steps; each kind by step, the earliest first."""

    evaluations: Sequence[Evaluation] = ()
    """Of the whole validation part."""
    samples: Sequence[Sample] = ()
    """But for those of the two models of a run's end, of which one is named after an earlier step."""
    alerts: Sequence[Alert] = ()
    checkpoints: Sequence[CheckpointSaved] = ()
    marks: Sequence[Mark] = ()

    @classmethod
    def of(cls, events: Iterable[Event]) -> "OtherEvents":
        ordered = sorted(events, key=_by_step)
        return cls(
            [event for event in ordered if isinstance(event, Evaluation) and event.part == WHOLE],
            [event for event in ordered if isinstance(event, Sample) and not event.model],
            [event for event in ordered if isinstance(event, Alert)],
            [event for event in ordered if isinstance(event, CheckpointSaved)],
            [mark for event in ordered if (mark := mark_of(event)) is not None],
        )

    @classmethod
    def known_to(cls, now: Snapshot) -> "OtherEvents":
        """The newest ones, which a snapshot has."""
        evaluations = {event for event in (now.best_evaluation, now.last_evaluation) if event is not None}
        return cls(
            sorted(evaluations, key=_by_step),
            sorted((sample for sample in now.samples if not sample.model), key=_by_step),
            sorted(now.alerts, key=_by_step),
            [now.last_checkpoint] if now.last_checkpoint else [],
            now.marks,
        )


def as_of(now: Snapshot, step: int, state: str, others: OtherEvents) -> Snapshot:
    """The run in a `state` after `step` steps; its plan, schedule and memory are those of `now`.

    What was clipped is not known, and the time of a step includes what was done between steps.
    """
    step_seconds = _step_seconds(now.history, step)
    tokens_per_step = now.run.plan.tokens_per_step if now.run else 0
    evaluations, samples = _until(others.evaluations, step), _until(others.samples, step)
    best = [event for event in evaluations if event.best]
    checkpoints = _until(others.checkpoints, step)
    return now.changed(
        {
            "state": state,
            "reason": "",
            "model": "",
            "step": step,
            "last_step": _last_step(now.history, step),
            "smoothed_loss": _value(now.history, "smoothed_loss", step),
            "step_seconds": step_seconds,
            "tokens_per_second": tokens_per_step / step_seconds if tokens_per_step and step_seconds else None,
            "time_left": None,
            "elapsed": _value(now.history, "elapsed", step) or 0.0,
            "clipped_share": None,
            "last_evaluation": evaluations[-1] if evaluations else None,
            "last_quick_evaluation": None,
            "best_evaluation": best[-1] if best else None,
            "samples": tuple(samples[: -SAMPLES_KEPT - 1 : -1]),
            "last_checkpoint": checkpoints[-1] if checkpoints else None,
            "alerts": tuple(_until(others.alerts, step)[: -ALERTS_KEPT - 1 : -1]),
            "marks": _newest(_until(others.marks, step)),
            "temperature": samples[-1].temperature if samples else now.temperature,
            "prompt": samples[-1].prompt if samples else now.prompt,
        }
    )


def _until(events: Sequence[SomeEvent], step: int) -> Sequence[SomeEvent]:
    return events[: bisect_right(events, step, key=_by_step)]


def _newest(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """As many of each kind as a run keeps, the oldest first."""
    seen = Counter[str]()
    kept: list[Mark] = []
    for mark in reversed(marks):
        seen[mark.kind] += 1
        if seen[mark.kind] <= KEPT:
            kept.append(mark)
    return tuple(kept[::-1])


def _value(history: History, metric: str, step: int) -> float | None:
    """The newest value at a step or shortly before it."""
    curve = history.window(metric, step - history.stride, step, 2)
    return float(curve.mean[-1]) if len(curve) and np.isfinite(curve.mean[-1]) else None


def _last_step(history: History, step: int) -> Step | None:
    if not step:
        return None
    loss, lr, grad_norm, weight_norm, tokens = (_value(history, name, step) for name in SHOWN)
    return Step(
        step=step,
        loss=loss,
        lr=lr,
        grad_norm=grad_norm,
        weight_norm=weight_norm,
        tokens=None if tokens is None else round(tokens),
    )


def _step_seconds(history: History, step: int) -> float | None:
    first = step - max(1, round(step * STEPS_TIMED), history.stride)
    begin, end = _value(history, "elapsed", first), _value(history, "elapsed", step)
    return None if begin is None or end is None or end <= begin else (end - begin) / (step - first)
