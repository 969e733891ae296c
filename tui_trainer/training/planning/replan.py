"""Checks whether a run keeps to the minutes it was planned for: times its first steps, and replans it once."""

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

CHECK_AFTER: Final = 0.1
"""Share of the planned time after which the step time is checked."""

CHECK_BY: Final = 0.25
"""Share of the planned steps after which it is checked however little time has passed."""

FEWEST: Final = 3
"""Fewest steps timed: one of them may be long because the process was suspended."""

MOST: Final = 1000

TOLERATED: Final = 1.25
"""How many times longer, or shorter, a step may take than was planned."""


@dataclass(frozen=True)
class NewLength:
    """The result of the check of a run that does not keep to its minutes."""

    severity: str
    """`warning` if steps take longer than planned, as the run has fewer of them, or takes longer; else `info`."""
    message_if_kept: str
    """The alert's message if the run keeps its length."""
    message_if_changed: str = ""
    """The alert's message if it is given another."""
    config: Config | None = None
    """The configuration with that other length; None where that could not be changed."""
    reason: str = ""
    """The number of steps, and why it is that."""


class LengthCheck:
    """Times the steps of a run with `--minutes`, and replans it once if they do not take what they were planned to.

    `sized` and `plan` are the plan before and after its length was known, `planned` the timings measured for it,
    `folder` the run's directory. Only the process that begins a run checks its timings: the result is in the
    configuration, which a resumed run uses. Used by the trainer's thread alone.
    """

    def __init__(self, sized: Plan, plan: Plan, corpus: Corpus, planned: Timings, folder: Folder) -> None:
        self._sized, self._plan, self._corpus, self._planned, self._folder = sized, plan, corpus, planned, folder
        self._seconds = 60 * sized.config.schedule.minutes
        """How long the run is to take."""
        steps = plan.config.schedule.steps
        self._latest = max(min(2, steps), int(CHECK_BY * steps))
        self._times: deque[float] = deque(maxlen=MOST)
        """Of the last steps, without the first, which has memory to find and libraries to load, if there are others."""
        self._passed = 0.0
        self._taken = 0
        self._checked = False

    def on_step(self, result: StepResult) -> None:
        """Record how long a step took."""
        self._passed += result.seconds
        self._taken += 1
        if self._taken == 2:
            self._times.clear()
        self._times.append(result.seconds)

    @property
    def due(self) -> bool:
        """Whether enough steps are timed, and the check has not been made."""
        long_enough = self._passed >= CHECK_AFTER * self._seconds and len(self._times) >= FEWEST
        return (long_enough or self._taken >= self._latest) and not self._checked

    def check(self, config: Config, step: int) -> NewLength | None:
        """The new length of a run of that configuration after `step` steps; None if it keeps to its time."""
        self._checked = True
        taken = median_low(self._times)
        ratio = taken / self._planned.step
        if 1 / TOLERATED <= ratio <= TOLERATED:
            return None
        finding = f"A step takes {step_time(taken)}, not {step_time(self._planned.step)} as when it was measured"
        severity = "info" if ratio < 1 else "warning"
        asked, before = human_seconds(self._seconds), config.schedule.steps
        whole = human_seconds(self._seconds * ratio)
        message_if_kept = (
            f"{finding}: {before:,} steps take about {whole}, not {asked}. Stop the run at any time: it is saved."
        )
        try:
            replanned = self._replan(config, step, taken, ratio)
        except InputError:
            return NewLength(severity, message_if_kept)
        steps = replanned.schedule.steps
        if steps == before:
            return None
        message_if_changed = f"{finding}: to end after about {asked}, the run has {steps:,} steps, not {before:,}."
        reason = f"{steps}, as a step took {step_time(taken)} in the run"
        return NewLength(severity, message_if_kept, message_if_changed, replanned, reason)

    def store(self, config: Config, save: Callable[[], bool]) -> bool:
        """Make the configuration of a NewLength that of the run, as `store_plan`."""
        return store_plan(self._folder, config, save)

    def _replan(self, config: Config, step: int, taken: float, ratio: float) -> Config:
        """Another length, and what depends on it; raises InputError if the options asked for do not allow one."""
        timings = Timings(taken, self._planned.evaluation * ratio, self._planned.token * ratio, as_planned=True)
        planned = replan(self._sized, self._plan, self._corpus, timings).config
        steps = max(planned.schedule.steps, min(step + 1, config.schedule.steps))
        warmup = config.schedule.warmup
        # Kept if it can be, so that the steps that were taken are those of the new schedule, too.
        warmup = warmup if warmup <= max(steps // 5, planned.schedule.warmup) else planned.schedule.warmup
        return config.update(**{**set_by_length(planned), "steps": steps, "warmup": warmup})


def step_time(seconds: float) -> str:
    """The time of a step in three digits: 4.25 ms, 481 ms, 1.65 s."""
    return f"{seconds:.2f} s" if seconds >= 0.9995 else f"{1000 * seconds:.3g} ms"
