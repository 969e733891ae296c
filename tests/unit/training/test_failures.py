"""What goes wrong in a run: told in a sentence, and nothing that was learned is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.training.helpers import journalled, only_run, run_to_end, small_config, steps_of
from tui_trainer.config import InputError
from tui_trainer.run.commands import Command, Stop
from tui_trainer.run.events import CheckpointSaved, Event, RunStarted, Stage, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.base import Outcome
from tui_trainer.training.local import TRACEBACK, LocalSession
from tui_trainer.training.probes import validation
from tui_trainer.training.step.stepper import Stepper


def raising(error: Exception) -> Callable[..., None]:
    def raise_it(*_: object) -> None:
        raise error

    return raise_it


def test_a_run_that_is_over_has_no_log_to_open(corpus: Path, tmp_path: Path) -> None:
    session = run_to_end(small_config(corpus))
    assert session.outcome == Outcome()
    others = [Folder.open(tmp_path) for _ in range(50)]  # one of them has the number that the run's directory had
    with pytest.raises(FileNotFoundError):
        session.open_log()
    for other in others:
        other.close()
    assert not (tmp_path / "output.log").exists()


def test_a_failure_is_told_and_kept(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stepper, "take", raising(RuntimeError("the device is gone")))
    session = run_to_end(small_config(corpus))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.snapshot().state == "failed"
    assert session.snapshot().reason.startswith("RuntimeError: the device is gone.")
    assert str(only_run(runs).path / TRACEBACK) in session.outcome.error
    assert "Traceback (most recent call last)" in (only_run(runs).path / TRACEBACK).read_text(encoding="utf-8")
    assert journalled(session)[-1] == session.of(StateChanged)[-1]


def test_a_failure_without_room_for_a_traceback_is_told_too(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stepper, "take", raising(RuntimeError("the device is gone")))
    # A folder in the way, as a stand-in for a full disk.
    session = run_to_end(
        small_config(corpus), lambda event: (only_run(runs).path / TRACEBACK).mkdir() if event.event == "run" else None
    )
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.snapshot().state == "failed"


def test_out_of_memory_says_what_helps(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(Stepper, "take", raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate ...")))
    session = run_to_end(small_config(corpus))
    assert session.snapshot().reason.startswith("The device ran out of memory: use a smaller --context or --width.")


@pytest.mark.parametrize("changes", [{"context": 4096}, {"heads": 3, "width": None}, {"warmup": 12}])
def test_bad_input_leaves_no_run(corpus: Path, runs: Path, changes: dict[str, float]) -> None:
    session = run_to_end(small_config(corpus, **changes))
    assert session.outcome is not None
    assert session.outcome.status == 2
    assert session.outcome.error
    assert not runs.exists()


def test_what_is_wrong_at_once_is_refused_before_a_screen_opens(corpus: Path, runs: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        LocalSession(small_config(corpus.with_name("dogs.txt")))
    with pytest.raises(InputError, match="cannot name a run"):
        LocalSession(small_config(corpus, name="a/b"))
    with pytest.raises(InputError, match="is not a directory"):
        LocalSession(small_config(corpus, runs_dir=str(corpus / "runs")))


@pytest.mark.parametrize(
    "stage", ["loading torch", "reading", "tokenizing", "measuring this machine", "building the model"]
)
def test_a_stop_during_preparation_leaves_nothing(corpus: Path, runs: Path, stage: str) -> None:
    session = run_to_end(
        small_config(corpus), lambda event: Stop() if isinstance(event, Stage) and event.stage == stage else None
    )
    assert session.outcome is not None
    assert session.outcome.status == 0
    assert session.of(RunStarted) == []
    assert not runs.exists()


def test_a_failure_between_steps_keeps_the_steps(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "evaluation", raising(RuntimeError("the cat got it")))
    session = run_to_end(small_config(corpus))
    assert session.snapshot().state == "failed"
    assert [(event.step, event.reason) for event in session.of(CheckpointSaved)][-1] == (4, "failed")


def test_a_run_has_one_trainer(corpus: Path, runs: Path) -> None:
    second: list[LocalSession] = []

    def resume_meanwhile(event: Event) -> Command | None:
        if isinstance(event, CheckpointSaved) and not second:
            second.append(LocalSession.resume(only_run(runs)))
            second[0].run()
        return None

    first = run_to_end(small_config(corpus), resume_meanwhile)
    assert second[0].outcome == Outcome(2, "The run cats is being trained by another process: attach shows it.")
    assert first.outcome == Outcome()
    assert steps_of(journalled(first)) == list(range(1, 13))
