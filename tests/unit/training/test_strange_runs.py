"""Runs that a stranger made are resumed within their directory, or refused with a sentence."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.training.helpers import Resumed, only_run, run_to_end, small_config
from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory
from tui_trainer.training.local import LocalSession


@pytest.fixture
def run(corpus: Path, runs: Path) -> RunDirectory:
    """One that has come to its end."""
    run_to_end(small_config(corpus))
    return only_run(runs)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file of the user's, which must stay as it is."""
    mine = tmp_path / ".bashrc"
    mine.write_text("alias ll='ls -l'\nno line end")
    return mine


def resume(run: RunDirectory) -> Resumed:
    session = Resumed(run, steps=14)
    session.run()
    return session


def link(place: Path, mine: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(mine)


def hard_link(place: Path, mine: Path) -> None:
    place.unlink(missing_ok=True)
    place.hardlink_to(mine)


def pipe(place: Path, mine: Path) -> None:
    place.unlink(missing_ok=True)
    os.mkfifo(place)


@pytest.mark.parametrize("name", ["journal.jsonl", "trainer.lock"])
@pytest.mark.parametrize("put", [link, hard_link, pipe])
def test_what_stands_for_a_file_is_refused_with_a_sentence(
    run: RunDirectory, mine: Path, name: str, put: Callable[[Path, Path], None]
) -> None:
    put(run.path / name, mine)
    before = mine.read_text()
    session = resume(run)
    assert session.outcome is not None and session.outcome.status == 2
    assert f"Cannot write to the run {run.path} ({name}: it " in session.outcome.error
    assert session.outcome.error.endswith("): move that file away.")
    assert mine.read_text() == before


@pytest.mark.parametrize("put", [link, pipe])
def test_a_configuration_elsewhere_is_not_read(
    run: RunDirectory, mine: Path, put: Callable[[Path, Path], None]
) -> None:
    put(run.config, mine)
    with pytest.raises(InputError):
        resume(run)


def test_links_in_the_place_of_what_is_written_aside_lead_nowhere(run: RunDirectory, mine: Path) -> None:
    for place in (".config.toml.partial", "traceback.txt", "control.sock", ".traceback.txt.partial"):
        link(run.path / place, mine)
    for place in (".latest.partial", ".best.partial"):
        link(run.checkpoints / place, mine)
    before = mine.read_text()
    session = resume(run)
    assert session.outcome is not None and session.outcome.status == 0, session.outcome
    assert mine.read_text() == before
    assert session.snapshot().step == 14


def test_a_configuration_names_no_place_to_write_to(run: RunDirectory, tmp_path: Path) -> None:
    text = run.config.read_text()
    lines = [f'runs_dir = "{tmp_path}/theirs"' if line.startswith("runs_dir") else line for line in text.splitlines()]
    lines = ['name = "../../elsewhere"' if line.startswith("name") else line for line in lines]
    run.config.write_text("\n".join(lines))
    before = sorted(tmp_path.rglob("*"))
    session = resume(run)
    assert session.outcome is not None and session.outcome.status == 0
    assert not (tmp_path / "theirs").exists()
    outside = [path for path in sorted(tmp_path.rglob("*")) if path not in before and run.path not in path.parents]
    assert outside == []


def test_a_linked_directory_of_checkpoints_is_not_entered(run: RunDirectory, tmp_path: Path) -> None:
    shutil.move(run.checkpoints, tmp_path / "theirs")
    run.checkpoints.symlink_to(tmp_path / "theirs")
    before = sorted(tmp_path.rglob("*"))
    session = resume(run)
    assert session.outcome is not None and session.outcome.status == 2
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before] == []


def test_the_steps_of_a_damaged_checkpoint_are_not_counted_as_taken(run: RunDirectory) -> None:
    (run.checkpoints / "step-00000012" / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="has taken 9 steps already"):
        LocalSession.resume(run, 8)
    LocalSession.resume(run, 9)
    assert resume(run).snapshot().state == "finished"
