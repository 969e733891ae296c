"""The time a run takes: spent so far, for a step, and left."""

from dataclasses import dataclass, field
from typing import Final

from tui_trainer.analysis.smoothing import Smoother
from tui_trainer.run.events import CheckpointSaved, Evaluation, Event, RunStarted, Sample, StateChanged, Step
from tui_trainer.state.pace import Pace, TimeLeft

GAP_SECONDS: Final = 300.0
"""Silence that may be a suspended process; evaluations and saves are much shorter."""

RATE_HALF_LIFE: Final = 20.0
"""Steps over which the step time is averaged."""


@dataclass
class TrainingClock:
    """Time spent training, by the events' own clock, and the time that is left."""

    elapsed: float = 0.0
    step_seconds: float | None = None
    running: bool = False
    last_event_time: float = 0.0
    """The time of the last event of a running trainer."""
    last_time: float | None = None
    pace: Pace = field(default_factory=Pace)
    """Of the steps since the trainer started the run or resumed it."""
    step: Smoother = field(default_factory=lambda: Smoother(RATE_HALF_LIFE))
    """Averages the seconds of a step alone."""

    def apply(self, event: Event) -> None:
        """Advance the clock to the time of an event, if it is of the training."""
        if isinstance(event, Step):
            self._tick(event)
        elif isinstance(event, StateChanged):
            self._change_state(event)
        elif isinstance(event, RunStarted):
            self._restart()
        elif self.running and isinstance(event, (Evaluation, Sample, CheckpointSaved)):
            self._advance_to(event.time)

    def _restart(self) -> None:
        """A trainer started or resumed the run: rates of the process before it do not count."""
        self.running, self.last_event_time, self.last_time = False, 0.0, None
        self.pace, self.step = Pace(), Smoother(self.step.half_life)

    def _change_state(self, event: StateChanged) -> None:
        """Only a trainer publishes these three states; others may be published later, by who finds that it is gone."""
        if self.running and event.state in ("paused", "finished", "stopped"):
            self._advance_to(event.time)
        self.running = event.state == "running"
        self.last_event_time = event.time
        self.last_time = event.time or None if self.running else None

    def elapsed_after(self, event: Step) -> float:
        """The time spent training at the end of a step."""
        if self.running and 0 < self.last_event_time <= event.time:
            return self._elapsed_at(event.time)
        # a single step of a paused run; or the clock was set back; or the journal has no times
        return self.elapsed + (event.step_seconds or 0.0)

    def _elapsed_at(self, time: float) -> float:
        passed = time - self.last_event_time
        return self.elapsed + (0.0 if passed <= 0 or self._was_suspended(passed) else passed)

    def _advance_to(self, time: float) -> None:
        self.elapsed, self.last_event_time = self._elapsed_at(time), time

    def _was_suspended(self, seconds: float) -> bool:
        """Whether the process or the machine was, as there was no event for so long; this does not count."""
        return seconds > GAP_SECONDS and seconds > 20 * (self.pace.usual or 0.0)

    def _tick(self, event: Step) -> None:
        self.elapsed, self.last_event_time = self.elapsed_after(event), event.time
        interval = event.step_seconds if self.last_time is None else event.time - self.last_time
        if interval is not None and interval < 0:  # the computer's clock was set back
            interval = event.step_seconds
        # A single step of a paused run: the wait for the next one is not training.
        self.last_time = event.time or None if self.running else None
        if interval is None or (self.pace.steps and self._was_suspended(interval)):
            return
        self.pace.add(interval, event.step_seconds)
        self.step_seconds = self.step.update(event.step_seconds)

    def left(self, steps: int) -> TimeLeft | None:
        """The time that so many steps take, with the evaluations, samples and saves between them."""
        return self.pace.left(steps)
