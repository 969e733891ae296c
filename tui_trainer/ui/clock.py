"""Advances the elapsed time and the time left between two reports, as during a long step or evaluation."""

import time
from collections.abc import Callable
from dataclasses import replace

from tui_trainer.state.snapshot import Snapshot


class RunningClock:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._elapsed = 0.0
        self._since = now()

    def advance(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the time added that has passed since its `elapsed` last changed; a recording as it is."""
        if snapshot.state != "running" or snapshot.playing_speed is not None or snapshot.elapsed != self._elapsed:
            self._elapsed, self._since = snapshot.elapsed, self._now()
            return snapshot
        passed = self._now() - self._since
        left = snapshot.time_left and snapshot.time_left.after(passed)
        return replace(snapshot, elapsed=self._elapsed + passed, time_left=left)
