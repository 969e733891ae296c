"""Checkpoints reached by links, and runs that are moved: nothing outside their directory is touched."""

import os
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from tests.unit.training.checkpoints.saving import Saver
from tests.unit.training.helpers import resume, run_to_end, small_config
from tui_trainer.config import InputError
from tui_trainer.run import folder
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import CheckpointSaved, Event, Step
from tui_trainer.training.checkpoints import tensor_files
from tui_trainer.training.checkpoints.format import LAST_FILE


@pytest.mark.parametrize("descriptors", ["/proc/self/fd", "/nowhere"])
def test_a_directory_that_is_moved_while_it_is_written_costs_only_that_checkpoint(
    saver: Saver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, descriptors: str
) -> None:
    """Also where the system has no path for a descriptor."""
    saver.save(1)
    partial, moved = saver.root / ".step-00000002.partial", tmp_path / "moved"

    def save(tensors: Any, path: Path, metadata: Any) -> None:
        if partial.exists():
            partial.rename(moved)
        save_file(tensors, path, metadata)

    with monkeypatch.context() as patches:
        patches.setattr(folder, "_DESCRIPTORS", Path(descriptors))
        patches.setattr(tensor_files, "save_file", save)
        with pytest.raises(OSError, match="No such file or directory"):
            saver.save(2)
        saver.save(3)
    assert saver.steps() == [1, 3]
    assert saver.newest() == 3


def test_pruning_removes_only_what_a_checkpoint_consists_of(tmp_path: Path) -> None:
    saver = Saver(tmp_path / "checkpoints", keep=1)
    notes = saver.save(1) / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    for step in (2, 3):
        saver.save(step)
    assert saver.steps() == [3]
    assert [path.name for path in saver.root.glob("*/notes.txt")] == ["notes.txt"]
    assert {path.name for path in saver.root.iterdir()} == {"step-00000003", "latest", "left-removed-step-00000001"}


@pytest.mark.parametrize("link", ["step-00000001", "latest", ".step-00000004.partial"])
def test_what_a_link_leads_to_is_left_alone(tmp_path: Path, link: str) -> None:
    saver = Saver(tmp_path / "checkpoints", keep=1)
    elsewhere = Saver(tmp_path / "elsewhere" / "checkpoints").save(1)
    before = {path: path.read_bytes() for path in elsewhere.iterdir()}
    saver.root.joinpath(link).symlink_to(elsewhere / LAST_FILE if link == "latest" else elsewhere)
    for step in (2, 3, 4):
        saver.save(step)
    assert {path: path.read_bytes() for path in elsewhere.iterdir()} == before
    assert saver.newest() == 4


def test_linked_checkpoints_are_refused(saver: Saver, tmp_path: Path) -> None:
    elsewhere = Saver(tmp_path / "elsewhere" / "checkpoints")
    elsewhere.save(1)
    saver.root.rmdir()
    saver.root.symlink_to(elsewhere.root)
    with pytest.raises(InputError, match="checkpoints cannot be read"):
        saver.store.newest()
    with pytest.raises(OSError):
        saver.save(2)
    assert elsewhere.steps() == [1]


@pytest.mark.parametrize("file", ["model.safetensors", LAST_FILE])
def test_a_link_or_a_pipe_in_place_of_a_file_is_refused(saver: Saver, tmp_path: Path, file: str) -> None:
    saver.save(1)
    path = saver.save(2) / file
    path.rename(tmp_path / file)
    path.symlink_to(tmp_path / file)
    with pytest.raises(InputError, match="cannot be read: it is a link"):
        saver.store.newest()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="cannot be read: it is no regular file"):
        saver.store.newest()


def test_a_run_that_is_moved_while_it_trains_saves_where_it_is(corpus: Path, runs: Path) -> None:
    def move(event: Event) -> None:
        if isinstance(event, Step) and event.step == 4:
            (runs / "cats").rename(runs / "moved")

    session = run_to_end(small_config(corpus, eval_every=100), move)
    saved = {event.step: Path(event.path) for event in session.of(CheckpointSaved)}
    assert saved[6] == runs.resolve() / "moved" / "checkpoints" / "step-00000006"
    assert sorted(path.name for path in (runs / "moved" / "checkpoints").glob("step-*"))[-1] == "step-00000012"
    assert not (runs / "cats").exists()
    assert resume(RunDirectory(runs / "moved")).snapshot().state == "finished"
