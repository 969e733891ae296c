"""The machine measured before a run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.unit.training.helpers import CPU, load, run_to_end, small_config
from tui_trainer.config import Config
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.run.commands import Command, Stop
from tui_trainer.run.events import Event, RunStarted, Stage, Step
from tui_trainer.training import preparation
from tui_trainer.training.planning import calibration
from tui_trainer.training.planning.calibration import measure, planned_timings, thread_counts, use_threads
from tui_trainer.training.planning.plan import Plan, Timings, resolve_sizes


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """How many threads there are now, and again after a test; nothing is timed for long."""
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "PLANNED_SECONDS", 0.0)
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


@pytest.fixture
def text(corpus: Path) -> Corpus:
    return load(corpus)


def sized(text: Corpus, corpus: Path, **changes: float) -> Config:
    return resolve_sizes(Plan(small_config(corpus, **{"threads": None, **changes})), text, "cpu").config


def never() -> None:
    """Nobody asks to stop."""


@pytest.mark.parametrize(
    ("most", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_numbers_of_threads_to_try(most: int, counts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: most)
    assert thread_counts() == counts


def test_the_pace_is_told_in_seconds(text: Corpus, corpus: Path) -> None:
    timings, _ = measure(sized(text, corpus), text, CPU, never)
    assert 0 < timings.step < 10
    assert 0 < timings.evaluation < 10
    assert 0 < timings.token < 10


def test_the_length_of_a_run_is_made_of_its_very_steps(text: Corpus, corpus: Path) -> None:
    config = sized(text, corpus, dropout=0.1, weight_decay=0.1, token_masking=0.0, bpe_dropout=0.0)
    config = config.update(compile="off")
    measured = Timings(step=1e-9, evaluation=2.0, token=3.0)
    timings = planned_timings(config, text, CPU, never, measured)
    assert timings.step > measured.step
    assert (timings.evaluation, timings.token, timings.as_planned) == (2.0, 3.0, True)


def test_the_threads_that_were_asked_for_are_kept(text: Corpus, corpus: Path) -> None:
    use_threads(1)
    _, reason = measure(sized(text, corpus, threads=1), text, CPU, never)
    assert torch.get_num_threads() == 1
    assert reason == ""


class Bench:
    """A machine whose steps take so many seconds with each number of threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], first: float = 0.1) -> None:
        self.tried: list[int] = []
        self._seconds = seconds
        monkeypatch.setattr(calibration, "thread_counts", lambda: list(seconds))
        monkeypatch.setattr(calibration._Calibration, "take", lambda _: first)
        monkeypatch.setattr(calibration._Calibration, "step_seconds", lambda _: self._time())
        for look in ("evaluation_seconds", "token_seconds"):
            monkeypatch.setattr(calibration._Calibration, look, lambda _: 1.0)

    def _time(self) -> float:
        self.tried.append(torch.get_num_threads())
        return self._seconds[self.tried[-1]]


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({1: 1.0}, 1),
        ({1: 1.0, 2: 0.6}, 2),
        ({1: 1.0, 2: 0.6, 4: 0.3}, 4),
        ({1: 1.0, 2: 0.6, 4: 0.3, 6: 0.29}, 4),
        ({1: 1.0, 2: 0.99}, 1),
        ({1: 1.0, 2: 1.5}, 1),
        ({1: 1.0, 2: 0.6, 4: 0.9}, 2),
    ],
)
def test_the_number_of_threads_is_the_fastest_that_is_worth_its_cores(
    seconds: dict[int, float], best: int, text: Corpus, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Bench(monkeypatch, seconds)
    timings, _ = measure(sized(text, corpus), text, CPU, never)
    assert torch.get_num_threads() == best
    assert timings == Timings(seconds[best], 1.0, 1.0, sizes=(4, 1))


def test_more_threads_are_not_tried_once_they_no_longer_help(
    text: Corpus, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(monkeypatch, {1: 1.0, 2: 1.2, 4: 5.0})
    _, reason = measure(sized(text, corpus), text, CPU, never)
    assert bench.tried == [1, 2]
    assert "1000 ms" in reason
    assert "1200 ms" in reason


def test_a_step_that_takes_long_is_timed_once_with_every_thread(
    text: Corpus, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(monkeypatch, {1: 60.0, 2: 30.0}, first=30.0)
    timings, reason = measure(sized(text, corpus), text, CPU, never)
    assert (timings.step, bench.tried, reason) == (30.0, [], "")


class Left(Exception):
    """The user went."""


@pytest.mark.parametrize("calls", range(3))
def test_it_can_be_given_up(calls: int, text: Corpus, corpus: Path) -> None:
    answers = iter(range(calls))

    def check_stop() -> None:
        if next(answers, None) is None:
            raise Left

    with pytest.raises(Left):
        measure(sized(text, corpus), text, CPU, check_stop)


# -- in a run ------------------------------------------------------------------------------------------------------


def test_a_run_that_was_measured_learns_what_one_that_was_not_does(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run_to_end(small_config(corpus, dropout=0.2))
    monkeypatch.setattr(preparation, "measure", measure)
    measured = run_to_end(small_config(corpus, dropout=0.2))
    assert [event.loss for event in measured.of(Step)] == [event.loss for event in told.of(Step)]


def test_a_stop_gives_up_measuring(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(event: Event) -> Command | None:
        return Stop() if isinstance(event, Stage) and event.stage.startswith("measuring") else None

    monkeypatch.setattr(preparation, "measure", measure)
    session = run_to_end(small_config(corpus), leave)
    assert session.outcome is not None
    assert session.outcome.status == 0
    assert session.of(RunStarted) == []
    assert not runs.exists()


def test_threads_are_at_most_the_processors_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    use_threads(1000)
    assert torch.get_num_threads() == 2
