"""The time a run takes: spent so far, for a step, and left."""

from typing import Final

from tui_trainer.run.events import StateChanged, Step
from tui_trainer.run.history import Smoother

GAP_SECONDS: Final = 300.0
"""Silence between two steps that may be a suspended process; evaluations and saves are much shorter."""

RATE_HALF_LIFE: Final = 20.0
"""Steps over which the step time is averaged."""


class TrainingClock:
    """Time spent training, by the events' own clock, and the time that is left."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.step_seconds: float | None = None
        self.restart()

    def restart(self) -> None:
        """A trainer took over: rates and waits of the one before say nothing."""
        self._running = False
        self._last_time: float | None = None
        self._interval = Smoother(RATE_HALF_LIFE * 10)
        self._step = Smoother(RATE_HALF_LIFE)

    def change_state(self, event: StateChanged) -> None:
        self._running = event.state == "running"
        self._last_time = event.time if self._running else None

    def tick(self, event: Step) -> None:
        interval = event.step_seconds if self._last_time is None else event.time - self._last_time
        if interval < 0:  # the computer's clock was set back
            interval = event.step_seconds
        # A single step of a paused run: the wait for the next one is not training.
        self._last_time = event.time if self._running else None
        average = self._interval.update(None)
        if average is not None and interval > max(GAP_SECONDS, 20 * average):
            return  # the process or the machine slept: that says nothing of training
        self.elapsed += interval
        self._interval.update(interval)
        self.step_seconds = self._step.update(event.step_seconds)

    def seconds_left(self, steps: int) -> float | None:
        """Evaluations, samples and saves count too, since they lie between the steps."""
        interval = self._interval.update(None)
        return None if interval is None else max(0, steps) * interval
