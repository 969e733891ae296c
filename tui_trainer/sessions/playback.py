"""How far a recording is played: its speed, pauses, and jumps to another step."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from tui_trainer.history.curve import Curve

WHOLE_SECONDS: Final = 30.0
"""In which a recording is played that takes longer, unless asked to play at another speed."""

SLOWEST: Final = 1 / 8
FASTEST: Final = 2.0**24


class Playback:
    """Of a run that took its steps at times, `elapsed`, in seconds; seconds here are as of `now`.

    Used by one thread at a time.
    """

    def __init__(
        self, elapsed: Curve, last: int, playing: bool = True, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`last` is the last step; one that is not `playing` is at its end."""
        self._now = now
        steps, seconds = elapsed.steps, np.maximum.accumulate(np.nan_to_num(elapsed.mean))
        if not np.any(seconds > 0):  # the journal does not tell: the steps are played evenly
            steps, seconds = np.array([last]), np.array([WHOLE_SECONDS])
        self._steps, self._seconds = np.array([0.0, *steps, last]), np.array([0.0, *seconds, seconds[-1]])
        self.last = last
        self._whole = float(seconds[-1])
        self.speed = 1.0
        while self._whole / self.speed > WHOLE_SECONDS and self.speed < FASTEST:
            self.speed *= 2
        self._from, self._since = (0.0 if playing else self._whole), now()
        """Second of the run that was reached at a time."""
        self.playing = playing
        self._changes = 0

    @property
    def version(self) -> int:
        """Another one whenever something has changed."""
        return (self._changes << 40) + self.step + self.at_end

    @property
    def step(self) -> int:
        """That is reached, from 0 on."""
        return self.last if self.at_end else int(np.interp(self._second, self._seconds, self._steps))

    @property
    def at_end(self) -> bool:
        return self._second >= self._whole

    @property
    def _second(self) -> float:
        return self._from + (self._now() - self._since) * self.speed * self.playing

    def _go_on_from(self, second: float) -> None:
        self._from, self._since, self._changes = second, self._now(), self._changes + 1

    def toggle(self) -> None:
        """Pause, or go on; from the end, play again from the beginning."""
        if self.at_end:
            self._go_on_from(0.0)
            self.playing = True
            return
        self._go_on_from(self._second)
        self.playing = not self.playing

    def change_speed(self, doublings: int) -> None:
        self._go_on_from(self._second)
        self.speed = min(FASTEST, max(SLOWEST, self.speed * 2.0**doublings))

    def jump(self, step: float) -> None:
        """Play from a step on."""
        self.playing = True
        if step >= self.last:
            self._go_on_from(self._whole)
        else:
            self._go_on_from(float(np.interp(step, self._steps, self._seconds)))
