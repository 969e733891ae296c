"""Fixtures of the tests of plans."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat

import pytest

from tui_trainer.training.step.stepper import Stepper, StepResult


@pytest.fixture
def steps_take(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says how long each step takes, the last time for all that follow, whatever they take here."""
    results = Stepper.results

    def take(*seconds: float) -> None:
        left: Iterator[float] = chain(seconds, repeat(seconds[-1]))

        def timed(self: Stepper, wait: bool) -> list[StepResult]:
            return [replace(result, seconds=next(left)) for result in results(self, wait)]

        monkeypatch.setattr(Stepper, "results", timed)

    return take
