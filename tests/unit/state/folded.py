"""Small events, and what they amount to."""

from dataclasses import replace
from typing import Any

import numpy as np

from tests.runs import run_started
from tests.unit.run.examples import RUN
from tui_trainer.run.events import SAMPLE, Evaluation, Event, RunStarted, Sample, StateChanged, Step
from tui_trainer.state.run_state import RunState
from tui_trainer.state.snapshot import Snapshot


def started(step: int = 0, time: float = 100.0, **changes: Any) -> RunStarted:
    return run_started(step=step, time=time, **{**RUN, "steps": 100, **changes})


def state(name: str, time: float, step: int = 0, reason: str = "") -> StateChanged:
    return StateChanged(step=step, time=time, state=name, reason=reason)


def step(number: int, time: float | None = None, **changes: Any) -> Step:
    """A step that took half a second; they come one a second from 100 on."""
    values: dict[str, Any] = {"loss": 2.0, "lr": 0.1, "grad_norm": 0.5, "weight_norm": 9.0, "tokens": number * 768}
    values |= {"step_seconds": 0.5, "tokens_per_second": 1536.0, **changes}
    return Step(step=number, time=100.0 + number if time is None else time, **values)


def evaluation(number: int, loss: float, best: bool) -> Evaluation:
    return Evaluation(
        step=number, time=100.0, train_loss=loss, val_loss=loss, perplexity=np.exp(loss), bits_per_byte=loss, best=best
    )


def quick_evaluation(number: int, loss: float) -> Evaluation:
    """Of a sample of the validation text."""
    return replace(evaluation(number, loss, best=False), train_loss=None, part=SAMPLE, standard_error=0.25)


def sample(number: int, text: str, prompt: str = "The") -> Sample:
    return Sample(step=number, time=100.0, prompt=prompt, text=text, temperature=0.8, top_k=0, seed=1)


def fold(*events: Event) -> RunState:
    folded = RunState()
    for event in events:
        folded.apply(event)
    return folded


def look(*events: Event) -> Snapshot:
    return fold(*events).snapshot()


BEGUN = (started(), state("running", 100.0))
