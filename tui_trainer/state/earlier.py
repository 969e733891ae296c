"""A run as it was at an earlier step, from what is known of it at a later one."""

from collections.abc import Iterable
from typing import Final, TypeVar

import numpy as np

from tui_trainer.analysis.perplexity import perplexity
from tui_trainer.history.curve import Curve
from tui_trainer.history.history import History
from tui_trainer.run.events import CheckpointSaved, Evaluation, Event, Step
from tui_trainer.state.marks import Mark, MarkKind
from tui_trainer.state.snapshot import Snapshot

POINTS: Final = 2048
"""In which the measurements before a step are looked at."""

SHOWN: Final = ("loss", "lr", "grad_norm", "weight_norm", "tokens")
"""Metrics of a step."""

STEPS_TIMED: Final = 0.02
"""Part of the steps so far over which the time of a step is averaged."""

SomeEvent = TypeVar("SomeEvent", bound=Event)


def as_of(now: Snapshot, step: int, state: str) -> Snapshot:
    """The run in a `state` after `step` steps.

    Of the samples and the alerts before it there are those that are still known; memory and speed are not.
    """
    step_seconds = _step_seconds(now.history, step)
    tokens_per_step = now.run.plan.tokens_per_step if now.run else 0
    samples = tuple(_until(now.samples, step))
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
            "last_evaluation": _evaluation(now.history, step),
            "last_quick_evaluation": None,
            "best_evaluation": _best_evaluation(now, step),
            "samples": samples,
            "last_checkpoint": _checkpoint(now, step),
            "alerts": tuple(_until(now.alerts, step)),
            "marks": tuple(mark for mark in now.marks if mark.step <= step),
            "temperature": samples[0].temperature if samples else now.temperature,
            "prompt": samples[0].prompt if samples else now.prompt,
        }
    )


def _until(events: Iterable[SomeEvent], step: int) -> Iterable[SomeEvent]:
    return (event for event in events if event.step <= step)


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


def _evaluations(history: History, step: int) -> Curve:
    return history.window("val_loss", 0, step, POINTS)


def _evaluation_at(history: History, step: int, loss: float, best: bool) -> Evaluation:
    return Evaluation(
        step=step,
        train_loss=_value(history, "train_loss", step),
        val_loss=loss,
        perplexity=perplexity(loss),
        bits_per_byte=_value(history, "bits_per_byte", step),
        best=best,
    )


def _evaluation(history: History, step: int) -> Evaluation | None:
    curve = _evaluations(history, step)
    return _evaluation_at(history, int(curve.steps[-1]), float(curve.mean[-1]), False) if len(curve) else None


def _best_evaluation(now: Snapshot, step: int) -> Evaluation | None:
    if now.best_evaluation is None or now.best_evaluation.step <= step:
        return now.best_evaluation
    curve = _evaluations(now.history, step)
    if not np.any(np.isfinite(curve.mean)):
        return None
    best = int(np.nanargmin(curve.mean))
    return _evaluation_at(now.history, int(curve.steps[best]), float(curve.mean[best]), True)


def _checkpoint(now: Snapshot, step: int) -> CheckpointSaved | None:
    if now.last_checkpoint is None or now.last_checkpoint.step <= step:
        return now.last_checkpoint
    earlier: list[Mark] = [mark for mark in now.marks if mark.kind == MarkKind.CHECKPOINT and mark.step <= step]
    if not earlier:
        return None
    reason = earlier[-1].text.removeprefix("checkpoint (").removesuffix(")")
    return CheckpointSaved(step=earlier[-1].step, path="", reason=reason)
