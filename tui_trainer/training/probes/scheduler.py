"""Probes: whatever looks at the model between steps, a little at a time."""

import math
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import Final

from tui_trainer.training.step.stepper import StepResult

Probe = Generator[None, None, None]
"""A generator that yields after at most some 20 ms of work, and finds the model changed after that."""

SHARE: Final = 0.05
"""Part of a step's time that all probes together take after it."""

SLICE_SECONDS: Final = 0.02
"""What they take after a step however short it is: else a sample of a fast run would take hundreds of steps."""

Interrupted = Callable[[], bool]


class ProbeScheduler:
    """Gives the probes their time between steps, in turn. Used by the trainer's thread alone."""

    def __init__(self) -> None:
        self._probes: deque[Probe] = deque()
        self._step_seconds = 0.0

    @property
    def busy(self) -> bool:
        return bool(self._probes)

    def add(self, probe: Probe) -> None:
        """Have a probe run by `share`, from its beginning to its end."""
        self._probes.append(probe)

    def on_step(self, result: StepResult) -> None:
        """Set the share of the probes by how long a step took."""
        self._step_seconds = result.seconds

    def share(self, interrupted: Interrupted) -> None:
        """One slice of time for all: each runs to its next yield in turn, one of them at least, until it is over."""
        deadline = time.perf_counter() + max(SLICE_SECONDS, SHARE * self._step_seconds)
        while self._probes:
            probe = self._probes.popleft()  # one that fails is dropped
            if _advance(probe):
                self._probes.append(probe)
            if interrupted() or time.perf_counter() > deadline:
                break

    def run(self, probe: Probe, interrupted: Interrupted, seconds: float = math.inf) -> bool:
        """Run one probe alone, whether it was added or not; whether it has come to its end.

        It has not when it is interrupted, which is asked before every part, or has taken so many seconds.
        """
        deadline = time.perf_counter() + seconds
        while not interrupted() and time.perf_counter() < deadline:
            if not _advance(probe):
                if probe in self._probes:
                    self._probes.remove(probe)
                return True
        return False


def _advance(probe: Probe) -> bool:
    """Whether there is more to do."""
    try:
        next(probe)
    except StopIteration:
        return False
    return True
