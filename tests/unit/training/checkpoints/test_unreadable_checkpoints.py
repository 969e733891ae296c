"""Checkpoints that cannot be read, or are not those of their run: told, and never taken for damaged ones."""

import os
from errno import EACCES, EIO, EMFILE
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.unit.training.checkpoints.forging import forge
from tests.unit.training.checkpoints.saving import Saver, progress
from tests.unit.training.helpers import ScriptedSession, resume, run_to_end, small_config, stop_after
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, Step
from tui_trainer.run.folder import Folder
from tui_trainer.training.checkpoints.format import FILES, LAST_FILE


@pytest.mark.parametrize(
    ("file", "reason"), [*((file, EMFILE) for file in (*FILES, LAST_FILE)), (LAST_FILE, EACCES), (FILES[1], EIO)]
)
def test_a_failure_to_read_is_told_and_sets_nothing_aside(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, file: str, reason: int
) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    directory = RunDirectory(runs / "cats")
    before = sorted(directory.checkpoints.rglob("*"))
    open_to_read = Folder.open_to_read

    def refuse(self: Folder, name: str) -> BinaryIO:
        if name == file and self.path.name == "step-00000007":
            raise OSError(reason, os.strerror(reason))
        return open_to_read(self, name)

    with monkeypatch.context() as patches:
        patches.setattr(Folder, "open_to_read", refuse)
        outcome = resume(directory).outcome
    assert outcome is not None and outcome.status == 2
    place = directory.checkpoints / "step-00000007" / file
    assert outcome.error == (
        f"{place} cannot be read: {os.strerror(reason)}. "
        "Put that right, or move step-00000007 away to go on from the one before it."
    )
    assert sorted(directory.checkpoints.rglob("*")) == before
    assert resume(directory).of(Step)[0].step == 8


def test_a_refused_resume_sets_nothing_aside_and_the_next_one_tells(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    directory = RunDirectory(runs / "cats")
    (directory.checkpoints / "step-00000007" / "model.safetensors").write_bytes(b"")
    assert resume(directory, steps=5).outcome.status == 2  # type: ignore[union-attr]
    assert (directory.checkpoints / "step-00000007").is_dir()
    session = resume(directory)
    assert session.of(Alert)[0].message == (
        f"A newer checkpoint was damaged: it is kept as {directory.checkpoints / '.unreadable-step-00000007'}."
    )
    assert session.of(Step)[0].step == 7


def resumed_in_micro_batches(corpus: Path, runs: Path, batch_size: int, accumulate: int) -> ScriptedSession:
    """A run of 4 sequences a step, taken up from a checkpoint that tells of such micro-batches."""
    run_to_end(small_config(corpus), stop_after(7))
    directory = RunDirectory(runs / "cats")
    forge(directory.checkpoints / "step-00000007", batch_size=batch_size, accumulate=accumulate)
    return resume(directory)


@pytest.mark.parametrize(("batch_size", "accumulate"), [(65536, 1), (4, 2), (2, 0), (3, 1), (2, 2**31)])
def test_a_checkpoint_with_steps_of_another_size_is_refused(
    corpus: Path, runs: Path, batch_size: int, accumulate: int
) -> None:
    outcome = resumed_in_micro_batches(corpus, runs, batch_size, accumulate).outcome
    assert outcome is not None and outcome.status == 2
    assert outcome.error == (
        f"The checkpoint of cats has steps of {batch_size:,} x {accumulate:,} sequences, its config.toml of 4 x 1 "
        "(batch_size x accumulate): restore that file, or move the checkpoint away to go on from the one before it."
    )


@pytest.mark.parametrize(("batch_size", "accumulate"), [(2, 2), (1, 4)])
def test_a_checkpoint_of_smaller_micro_batches_is_not(
    corpus: Path, runs: Path, batch_size: int, accumulate: int
) -> None:
    assert resumed_in_micro_batches(corpus, runs, batch_size, accumulate).of(Step)[0].step == 8


def test_a_best_checkpoint_that_is_gone_is_told_at_the_end(corpus: Path, runs: Path) -> None:
    settings: dict[str, Any] = {"lr": 3.0, "warmup": 11, "eval_every": 2, "keep": 1}
    run_to_end(small_config(corpus, **settings), stop_after(9))
    directory = RunDirectory(runs / "cats")
    best = directory.checkpoints / (directory.checkpoints / "best").read_text(encoding="utf-8")
    for file in best.iterdir():
        file.unlink()
    best.rmdir()
    session = resume(directory)
    (alert,) = [alert for alert in session.of(Alert) if "best model" in alert.message]
    assert (alert.kind, alert.severity) == ("checkpoint", "warning")
    assert alert.message.startswith(f"The best model, of step {int(best.name[5:])}, cannot be shown: {best} cannot")
    assert session.snapshot().state == "finished"


def test_a_best_pointer_that_is_gone_costs_nothing(corpus: Path, runs: Path) -> None:
    settings: dict[str, Any] = {"lr": 3.0, "warmup": 11, "eval_every": 2, "keep": 1}
    run_to_end(small_config(corpus, **settings), stop_after(9))
    pointer = RunDirectory(runs / "cats").checkpoints / "best"
    named = pointer.read_text(encoding="utf-8")
    pointer.unlink()
    session = resume(RunDirectory(runs / "cats"))
    assert pointer.read_text(encoding="utf-8") == named
    assert "best" in session.snapshot().reason


def test_steps_are_ordered_as_numbers(saver: Saver) -> None:
    for step in (99_999_950, 100_000_050, 100_000_100):
        saver.save(step)
    assert saver.newest() == 100_000_100
    for step in (100_000_150, 100_000_200):
        saver.save(step)
    assert saver.steps() == [100_000_100, 100_000_150, 100_000_200]


def test_a_checkpoint_that_cannot_be_looked_at_now_is_not_set_aside(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver.save(1)
    stat = Folder.stat

    def refuse(self: Folder, name: str) -> os.stat_result:
        if name in FILES:
            raise OSError(EIO, os.strerror(EIO))
        return stat(self, name)

    with monkeypatch.context() as patches:
        patches.setattr(Folder, "stat", refuse)
        with pytest.raises(OSError, match=os.strerror(EIO)):
            saver.save(1)
    assert saver.steps() == [1]
    assert saver.newest() == 1


def test_what_was_set_aside_before_stays(saver: Saver) -> None:
    for content in (b"first", b"second"):
        (saver.save(1) / FILES[1]).write_bytes(content)
        saver.store.resume_from(progress(0), damaged=["step-00000001"])
    aside = [saver.root / name / FILES[1] for name in (".unreadable-step-00000001", ".unreadable-step-00000001-2")]
    assert [file.read_bytes() for file in aside] == [b"first", b"second"]
