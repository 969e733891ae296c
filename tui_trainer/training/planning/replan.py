"""Whether a run keeps to the minutes it was planned for: its first steps are timed, and it is planned anew once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from tui_trainer.config import Config, InputError
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.run.folder import Folder
from tui_trainer.run.text import human_seconds
from tui_trainer.training.planning.plan import Plan, Timings, replan
from tui_trainer.training.planning.stored_plan import set_by_length, store_plan
from tui_trainer.training.step.stepper import StepResult

JUDGED_AFTER: Final = 0.1
"""Part of the planned time after which the pace is judged."""

JUDGED_BY: Final = 0.25
"""Part of the planned steps after which it is judged however little time has passed."""

FEWEST: Final = 3
"""Steps to judge by: one of them may be long because the process was suspended amid it."""

MOST: Final = 1000

TOLERATED: Final = 1.25
"""How many times longer, or shorter, a step may take than was planned."""


@dataclass(frozen=True)
class NewLength:
    """What is to become of a run that does not keep to its time."""

    severity: str
    """A warning where steps take longer than was planned, as the run has fewer of them, or takes longer."""
    unchanged: str
    """What is to be told if the run keeps its length."""
    changed: str = ""
    """What is to be told if it is given another."""
    config: Config | None = None
    """The configuration with that other length; None where that could not be changed."""
    reason: str = ""
    """The number of steps, and why it is that."""


class LengthCheck:
    """Times the steps of a run that is to take so many minutes, and once plans it anew where they take another time.

    `sized` and `course` are the plan before and after its length was known, `planned` the timings that was measured for
    it, `folder` the run's directory. Only the process that begins a run checks its timings: what it decides is in
    the configuration, and a resumed run goes by that. Used by the trainer's thread alone.
    """

    def __init__(self, sized: Plan, course: Plan, corpus: Corpus, planned: Timings, folder: Folder) -> None:
        self._sized, self._timetable, self._corpus, self._planned, self._folder = sized, course, corpus, planned, folder
        self._seconds = 60 * sized.config.schedule.minutes
        """How long the run is to take."""
        steps = course.config.schedule.steps
        self._latest = max(min(2, steps), int(JUDGED_BY * steps))
        self._times: deque[float] = deque(maxlen=MOST)
        """Of the last steps, without the first, which has memory to find and libraries to load, if there are others."""
        self._passed = 0.0
        self._taken = 0
        self._judged = False

    def on_step(self, result: StepResult) -> None:
        """Record how long a step took."""
        self._passed += result.seconds
        self._taken += 1
        if self._taken == 2:
            self._times.clear()
        self._times.append(result.seconds)

    @property
    def due(self) -> bool:
        """Whether there is enough to judge by, and that has not been done."""
        long_enough = self._passed >= JUDGED_AFTER * self._seconds and len(self._times) >= FEWEST
        return (long_enough or self._taken >= self._latest) and not self._judged

    def judge(self, config: Config, step: int) -> NewLength | None:
        """What is to become of a run of that configuration after `step` steps; None if it keeps to its time."""
        self._judged = True
        taken = median_low(self._times)
        ratio = taken / self._planned.step
        if 1 / TOLERATED <= ratio <= TOLERATED:
            return None
        told = f"A step takes {step_time(taken)}, not {step_time(self._planned.step)} as when it was measured"
        severity = "info" if ratio < 1 else "warning"
        asked, before = human_seconds(self._seconds), config.schedule.steps
        whole = human_seconds(self._seconds * ratio)
        unchanged = f"{told}: {before:,} steps take about {whole}, not {asked}. Stop the run at any time: it is saved."
        try:
            replanned = self._replan(config, step, taken, ratio)
        except InputError:
            return NewLength(severity, unchanged)
        steps = replanned.schedule.steps
        if steps == before:
            return None
        changed = f"{told}: to end after about {asked}, the run has {steps:,} steps, not {before:,}."
        reason = f"{steps}, as a step took {step_time(taken)} in the run"
        return NewLength(severity, unchanged, changed, replanned, reason)

    def store(self, config: Config, save: Callable[[], bool]) -> bool:
        """Make the configuration of a judgement that of the run, as `store_plan`."""
        return store_plan(self._folder, config, save)

    def _replan(self, config: Config, step: int, taken: float, ratio: float) -> Config:
        """Another length, and what goes by it; raises InputError where what was asked for leaves no choice."""
        timings = Timings(taken, self._planned.evaluation * ratio, self._planned.token * ratio, settled=True)
        planned = replan(self._sized, self._timetable, self._corpus, timings).config
        steps = max(planned.schedule.steps, min(step + 1, config.schedule.steps))
        warmup = config.schedule.warmup
        # Kept if it can be, so that the steps that were taken are those of the new schedule, too.
        warmup = warmup if warmup <= max(steps // 5, planned.schedule.warmup) else planned.schedule.warmup
        return config.update(**{**set_by_length(planned), "steps": steps, "warmup": warmup})


def step_time(seconds: float) -> str:
    """The time of a step in three digits: 4.25 ms, 481 ms, 1.65 s."""
    return f"{seconds:.2f} s" if seconds >= 0.9995 else f"{1000 * seconds:.3g} ms"
