"""Results of steps that a GPU is still working on: told when they are there, in order, each once."""

import time
from pathlib import Path

import pytest
import torch

from tests.unit.training.faults import poisoned
from tests.unit.training.helpers import run_to_end, small_config, small_model, small_stepper, take, watched
from tui_trainer.run.commands import Pause
from tui_trainer.run.events import Alert, CheckpointSaved, Evaluation, Step
from tui_trainer.training.local import LocalSession
from tui_trainer.training.step import stepper as module


class Arrival:
    """Stands for the event of a GPU: a step's numbers are there, or waited for."""

    def __init__(self) -> None:
        self.there = self.waited_for = False

    def query(self) -> bool:
        return self.there

    def synchronize(self) -> None:
        self.there = self.waited_for = True


class Behind:
    """A stepper whose device lags, and the arrivals of its steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrivals: list[Arrival] = []
        monkeypatch.setattr(module, "_read_back", self._read_back)
        self.stepper = small_stepper(small_model())

    def _read_back(self, numbers: torch.Tensor) -> tuple[torch.Tensor, Arrival]:
        self.arrivals.append(Arrival())
        return numbers, self.arrivals[-1]

    def take(self) -> None:
        assert self.stepper.take(len(self.arrivals), 1e-2, lambda: False)

    def told(self, wait: bool = False) -> list[int]:
        return [result.step for result in self.stepper.results(wait)]


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Behind:
    return Behind(monkeypatch)


def test_results_are_told_when_they_arrive_each_once(behind: Behind) -> None:
    behind.take()
    assert behind.told() == []
    behind.arrivals[0].there = True
    assert behind.told() == [1]
    assert behind.told(wait=True) == []


def test_results_are_told_in_order(behind: Behind) -> None:
    behind.take()
    behind.take()
    behind.arrivals[1].there = True
    assert behind.told() == []
    behind.arrivals[0].there = True
    assert behind.told() == [1, 2]


def test_the_first_is_waited_for_when_too_many_are_under_way(behind: Behind) -> None:
    for _ in range(module.STEPS_AHEAD):
        behind.take()
    assert behind.told() == []
    behind.take()
    assert behind.told() == [1]
    assert [arrival.waited_for for arrival in behind.arrivals] == [True, False, False]


def test_all_are_waited_for_when_asked(behind: Behind) -> None:
    behind.take()
    behind.take()
    assert behind.told(wait=True) == [1, 2]
    assert behind.told(wait=True) == []


def test_late_results_are_those_of_their_step(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = small_stepper(small_model())
    expected = [take(at_once, step) for step in range(2)]
    late = Behind(monkeypatch)
    late.take()
    late.take()
    results = late.stepper.results(wait=True)
    assert [(result.loss, result.lr) for result in results] == [(result.loss, result.lr) for result in expected]
    assert all(result.seconds > 0 for result in results)


def test_steps_that_arrive_together_share_the_time(behind: Behind) -> None:
    """None of them seems to have taken no time at all."""
    started = time.perf_counter()
    behind.take()
    behind.take()
    first, second = behind.stepper.results(wait=True)
    assert first.seconds == second.seconds > 0
    assert first.seconds + second.seconds <= time.perf_counter() - started


# -- in a run ------------------------------------------------------------------------------------------------------


def test_a_run_that_lags_tells_the_same(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = run_to_end(small_config(corpus, name="prompt"))
    Behind(monkeypatch)
    late = run_to_end(small_config(corpus, name="late"))
    assert [(event.step, event.loss) for event in late.of(Step)] == [(e.step, e.loss) for e in prompt.of(Step)]
    assert [event.train_loss for event in late.of(Evaluation)] == [e.train_loss for e in prompt.of(Evaluation)]


def test_a_step_is_told_before_what_follows_from_it(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Behind(monkeypatch)
    told = 0
    for event in run_to_end(small_config(corpus)).events:
        if isinstance(event, Step):
            told = event.step
        elif isinstance(event, Evaluation):
            assert told == event.step
        elif isinstance(event, CheckpointSaved):  # written while training goes on
            assert told >= event.step


def test_the_last_steps_are_judged_too(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Behind(monkeypatch)
    session = run_to_end(small_config(corpus, steps=5, eval_every=4))
    assert [event.step for event in session.of(Evaluation)] == [4, 5]


def test_a_run_that_fails_keeps_its_weights(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though more steps without a finite loss are under way when it fails: undone like the others."""
    Behind(monkeypatch)
    poisoned(monkeypatch, set(range(12, 100)))
    session = run_to_end(small_config(corpus, steps=100, eval_every=100, checkpoint_every=100))
    assert session.snapshot().state == "failed"
    assert "3 rollbacks did not help" in session.snapshot().reason
    assert [event.reason for event in session.of(CheckpointSaved)] == ["failed"]


def test_a_run_that_lags_judges_and_saves_nothing_that_did_harm(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At step 20 an evaluation, a checkpoint and the notifications of a third bad step come together."""
    Behind(monkeypatch)
    poisoned(monkeypatch, {17, 18, 19})
    session = run_to_end(small_config(corpus, steps=40, eval_every=10, checkpoint_every=10))
    told = [event for event in session.events if isinstance(event, (Alert, Evaluation))]
    at = next(number for number, event in enumerate(told) if "rollback 1" in getattr(event, "message", ""))
    assert (told[at].step, type(told[at + 1]), told[at + 1].step) == (20, Evaluation, 20)


def test_a_paused_run_has_told_all_its_steps(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals = Behind(monkeypatch).arrivals
    with watched(LocalSession(small_config(corpus, steps=10**6))) as run:
        run.wait_for(lambda event: isinstance(event, Step) and event.step == 5)
        run.ask(Pause())
        paused = run.wait_for_state("paused")
        assert [event.step for event in run.events if isinstance(event, Step)][-1] == paused.step == len(arrivals)
