"""Lets time go on while a long step or evaluation reports nothing."""

import time
from collections.abc import Callable
from dataclasses import replace

from tui_trainer.state.run_state import Snapshot


class RunningClock:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._elapsed = 0.0
        self._since = now()

    def advance(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the time added that passed since its clock last moved."""
        if snapshot.state != "running" or snapshot.elapsed != self._elapsed:
            self._elapsed, self._since = snapshot.elapsed, self._now()
            return snapshot
        passed = self._now() - self._since
        left = snapshot.seconds_left
        left = None if left is None else max(0.0, left - passed)
        return replace(snapshot, elapsed=self._elapsed + passed, seconds_left=left)
