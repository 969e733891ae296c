"""How long the steps to come will take: as the last ones, and what comes between steps now and then."""

from dataclasses import dataclass
from typing import Final

from tui_trainer.run.text import human_range, human_seconds

RECENT: Final = 32
"""Intervals that tell how long a step takes now."""

ENOUGH: Final = 5
"""Intervals before anything is told: the first ones have memory to find."""

BLOCKS: Final = 8
"""Of RECENT intervals each, whose medians tell how steady the steps are."""

RARE: Final = 2.0
"""How many times the usual interval one takes at least that has an evaluation, a sample or a save in it."""

UNSEEN: Final = 1.5
"""Of a run with few steps: how many times longer it may take, for what it has not come to yet."""

CERTAIN: Final = 1.25
"""The limits of a time left are told where the upper is more than so many times the lower."""

SHORT_SECONDS: Final = 10.0
"""From here on the limits are not worth telling."""


@dataclass(frozen=True)
class TimeLeft:
    """Seconds that a run will still take, and between which limits that lies."""

    seconds: float
    least: float
    most: float

    def after(self, passed: float) -> "TimeLeft":
        """What is left of it so many seconds later."""
        return TimeLeft(*(max(0.0, each - passed) for each in (self.seconds, self.least, self.most)))

    def __str__(self) -> str:
        """2m10s, or where that is uncertain: 2 to 3m."""
        if self.most <= max(SHORT_SECONDS, CERTAIN * self.least):
            return human_seconds(self.seconds)
        return human_range(self.least, self.most)


@dataclass
class Pace:
    """The intervals from step to step, in seconds."""

    recent: tuple[float, ...] = ()
    """The last ones, oldest first."""
    blocks: tuple[float, ...] = ()
    """The median of each block of them, oldest first."""
    steps: int = 0
    between: float = 0.0
    """By how much rare intervals were longer than usual, in all: evaluations, samples and saves lie between steps."""

    @property
    def usual(self) -> float | None:
        """The median of the last intervals, so that single ones do not matter; None without any."""
        if not self.recent:
            return None
        ordered, middle = sorted(self.recent), len(self.recent) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

    def add(self, interval: float, step_seconds: float | None) -> None:
        """An interval, and how much of it the step itself took: a slow step is no reason to expect others."""
        usual = self.usual
        if usual is not None and interval > RARE * usual and interval - (step_seconds or 0.0) > usual:
            self.between += interval - usual
        self.recent = (*self.recent, interval)[-RECENT:]
        self.steps += 1
        if self.steps % RECENT == 0 and (usual := self.usual) is not None:
            self.blocks = (*self.blocks, usual)[-BLOCKS:]

    def left(self, steps: int) -> TimeLeft | None:
        """The time that so many steps take; None before enough were taken to tell."""
        usual = self.usual
        if usual is None or self.steps < ENOUGH:
            return None
        between = self.between / self.steps
        seen = (usual, *self.blocks)
        least, most = min(seen) + between, (max(seen) + between) * (1 if self.blocks else UNSEEN)
        return TimeLeft(*(max(0, steps) * each for each in (usual + between, least, most)))
