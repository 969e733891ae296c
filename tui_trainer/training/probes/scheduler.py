"""Probes: whatever looks at the model between steps, a little at a time.

Most go on while the model is trained, in a slice of time after each step. An evaluation is exclusive of steps: no step
is taken until it is over, as its loss is of the weights of one step. The others get their slice between its parts.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.decision import Decision
from tui_trainer.training.probes.source import Interrupted, Probe, ProbeSource
from tui_trainer.training.step.stepper import StepResult

SHARE: Final = 0.05
"""Part of a step's time that the probes take after it."""

SLICE_SECONDS: Final = 0.02
"""What those without a budget take after a step however short it is: else a sample of a fast run would take hundreds
of steps."""

NO_ANSWER: Final = "A run that is trained has no answer to requests of this kind."


class ProbeScheduler:
    """Gives the probes their time between steps, in turn. Used by the trainer's thread alone."""

    def __init__(self) -> None:
        self._sources: list[ProbeSource] = []
        self._probes: deque[Probe] = deque()
        self._budgeted: deque[Probe] = deque()
        self._budget = 0.0
        """Seconds that those may take; below zero when the last part took longer than was saved up."""
        self._step_seconds = 0.0

    @property
    def busy(self) -> bool:
        return bool(self._probes or self._budgeted)

    def register(self, *sources: ProbeSource) -> None:
        """Have probes of these sources run; they are asked in this order."""
        self._sources += sources

    def exclusive(self, decision: Decision) -> Iterator[Probe]:
        """The probes that are due with a decision, and have to be over before the next step: for `run_exclusive`."""
        for source in self._sources:
            if (probe := source.exclusive(decision)) is not None:
                yield probe

    def start_due(self, decision: Decision, interrupted: Interrupted) -> None:
        """Begin what is due with a decision, and goes on between the steps to come."""
        for source in self._sources:
            source.start_due(decision, interrupted)

    def add_request(self, opened: OpenRequest) -> None:
        """Have a request answered between the steps to come, or refused if no source answers its kind."""
        if not any(source.answer(opened) for source in self._sources):
            opened.refuse(NO_ANSWER)

    def drop(self) -> None:
        """Give up what has been begun: the run has failed."""
        for source in self._sources:
            source.drop()
        self._probes.clear()
        self._budgeted.clear()

    def add(self, probe: Probe, budgeted: bool = False) -> None:
        """Have a probe run by `share`, from its beginning to its end.

        With `budgeted` no more than SHARE of the time of the steps, over many of them, is taken from these.
        """
        (self._budgeted if budgeted else self._probes).append(probe)

    def on_step(self, result: StepResult) -> None:
        """Set the share of the probes by how long a step took."""
        self._step_seconds = result.seconds
        self._add_to_budget(result.seconds)

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
        """How many seconds the probes get between two steps."""
        return max(SLICE_SECONDS, SHARE * self._step_seconds)

    def run_exclusive(self, probe: Probe, interrupted: Interrupted, arrived: Interrupted) -> None:
        """Run a probe to its end, unless interrupted, which is asked before every part, and close it.

        Between two parts the probes that were added get their time as between two steps; it ends early when something
        has `arrived`.
        """
        with closing(probe):
            while not interrupted() and self._advance_exclusive(probe):
                self.share(arrived, stepping=True)

    def _advance_exclusive(self, probe: Probe) -> bool:
        """Whether there is more to do; the time that it took counts as that of a step for the budget."""
        begun = time.perf_counter()
        more = _advance(probe)
        self._add_to_budget(time.perf_counter() - begun)
        return more

    def _add_to_budget(self, seconds: float) -> None:
        self._budget = min(self._budget + SHARE * seconds, self._slice)

    def run(self, probe: Probe, interrupted: Interrupted) -> bool:
        """Run one probe alone, whether it was added or not; whether it has come to its end.

        It has not when it is interrupted, which is asked before every part.
        """
        while not interrupted():
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
