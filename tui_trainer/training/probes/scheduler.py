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
"""Part of a step's time that the probes take after it."""

SLICE_SECONDS: Final = 0.02
"""What those without a budget take after a step however short it is: else a sample of a fast run would take hundreds
of steps."""

Interrupted = Callable[[], bool]


class ProbeScheduler:
    """Gives the probes their time between steps, in turn. Used by the trainer's thread alone."""

    def __init__(self) -> None:
        self._probes: deque[Probe] = deque()
        self._budgeted: deque[Probe] = deque()
        self._budget = 0.0
        """Seconds that those may take; below zero when the last part took longer than was saved up."""
        self._step_seconds = 0.0

    @property
    def busy(self) -> bool:
        return bool(self._probes or self._budgeted)

    def add(self, probe: Probe, budgeted: bool = False) -> None:
        """Have a probe run by `share`, from its beginning to its end.

        With `budgeted` no more than SHARE of the time of the steps, over many of them, is taken from these.
        """
        (self._budgeted if budgeted else self._probes).append(probe)

    def on_step(self, result: StepResult) -> None:
        """Set the share of the probes by how long a step took."""
        self._step_seconds = result.seconds
        self._budget = min(self._budget + SHARE * result.seconds, self._slice)

    def share(self, interrupted: Interrupted, stepping: bool = False) -> None:
        """One slice of time for those without a budget, and one for the others: of their budget while `stepping`."""
        _take_turns(self._probes, self._slice, interrupted)
        if not stepping:
            _take_turns(self._budgeted, self._slice, interrupted)
        elif self._budgeted and self._budget > 0:
            begun = time.perf_counter()
            _take_turns(self._budgeted, self._budget, interrupted)
            self._budget -= time.perf_counter() - begun

    @property
    def _slice(self) -> float:
        """Seconds."""
        return max(SLICE_SECONDS, SHARE * self._step_seconds)

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


def _take_turns(probes: deque[Probe], seconds: float, interrupted: Interrupted) -> None:
    """Each runs to its next yield in turn, one of them at least, until the time is over."""
    deadline = time.perf_counter() + seconds
    while probes:
        probe = probes.popleft()  # one that fails is dropped
        if _advance(probe):
            probes.append(probe)
        if interrupted() or time.perf_counter() > deadline:
            break


def _advance(probe: Probe) -> bool:
    """Whether there is more to do."""
    try:
        next(probe)
    except StopIteration:
        return False
    return True
