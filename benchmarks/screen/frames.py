"""How long a frame takes by how long the run is: the whole screen, drawn in this process."""

import asyncio
import math
import statistics
import time
from typing import Final

import numpy as np

from benchmarks.history.journals import run_started
from benchmarks.history.measuring import NUMBERS, IdleSession
from benchmarks.screen.program import COLUMNS, ROWS
from tui_trainer.history.history import BUCKETS, History
from tui_trainer.run.events import StateChanged, Step
from tui_trainer.state.run_state import RunState
from tui_trainer.ui.app import TrainerApp

FRAMES: Final = 15
METRICS: Final = ("loss", "smoothed_loss", "lr", "grad_norm", "weight_norm", "tokens", "elapsed")


def long_history(steps: int) -> History:
    """Of so many steps, made at once."""
    stride = 2 ** max(0, math.ceil(math.log2(steps / BUCKETS)))
    buckets = steps // stride
    chance = np.random.default_rng(1)
    mean = 2 + np.exp(-np.linspace(0, 5, buckets)) + chance.normal(0, 0.05, (len(METRICS), buckets))
    cells = np.stack((mean - 0.2, mean + 0.2, mean * stride, np.full_like(mean, stride)), axis=1)
    return History.of(METRICS, stride, cells)


class LongSession(IdleSession):
    """Shows a run that has come to its step `steps`, and goes on with every frame."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        past = RunState()
        past.shown = past.shown.changed({"history": long_history(steps)})
        self.replace_state(past)
        self.publish(run_started("long", "", 2 * steps, steps))
        self.step = steps
        self.publish(StateChanged(step=steps, state="running"))
        self.advance()

    def advance(self) -> None:
        self.step += 1
        self.publish(Step(step=self.step, loss=2.0, tokens=self.step, **NUMBERS))


def frame_ms(steps: int) -> float:
    """Milliseconds of the median frame in which every pane is drawn."""
    return asyncio.run(_frame_ms(steps))


async def _frame_ms(steps: int) -> float:
    session = LongSession(steps)
    app, times = TrainerApp(session, "long"), []
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        for _ in range(FRAMES):
            session.advance()
            begin = time.thread_time()
            app.pull()
            await pilot.pause()
            times.append(1e3 * (time.thread_time() - begin))
    return statistics.median(times[2:])
