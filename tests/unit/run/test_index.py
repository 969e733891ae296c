"""The index of runs: what is entered is found from anywhere, and nothing that lies there does harm."""

import os
import threading
from pathlib import Path

import platformdirs
import pytest

from tests.unit.run.test_directory import make_run
from tests.unit.run.test_lock import held
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.index import enter, indexed_runs
from tui_trainer.run.neighbours import introduce


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the index is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "tui-trainer" / "runs"


def make(root: Path, name: str) -> RunDirectory:
    return RunDirectory(make_run(root, name))


def test_what_is_entered_is_found_once_and_with_its_whole_path(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "cats")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        enter(RunDirectory(Path("runs/cats")))
    assert indexed_runs() == [RunDirectory(tmp_path / "runs" / "cats")]
    assert folder.stat().st_mode & 0o077 == 0


def test_without_an_index_there_are_no_runs(folder: Path) -> None:
    assert indexed_runs() == []
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    assert indexed_runs() == []


def test_a_run_that_was_moved_or_deleted_drops_out(tmp_path: Path, folder: Path) -> None:
    moved, other = make(tmp_path, "moved"), make(tmp_path, "other")
    enter(moved)
    moved.path.rename(tmp_path / "away")
    assert indexed_runs() == []
    enter(other)
    assert len(list(folder.iterdir())) == 1
    enter(RunDirectory(tmp_path / "away"))
    assert [run.name for run in indexed_runs()] == ["away", "other"]


def test_what_is_no_run_of_this_user_is_left_out(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cats = make(tmp_path, "cats")
    enter(cats)
    (folder / "torn").write_bytes(b"\xff{")
    (folder / "folder").mkdir()
    (folder / "relative").symlink_to("../../../cats")
    (folder / "nowhere").symlink_to(tmp_path / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "no run").symlink_to(tmp_path)
    (folder / "long").symlink_to(tmp_path / ("x" * 250) / ("y" * 250))
    os.mkfifo(folder / "pipe")
    assert indexed_runs() == [cats]
    monkeypatch.setattr(os, "getuid", lambda: cats.path.stat().st_uid + 1)
    assert indexed_runs() == []


def test_many_trainers_enter_at_once(tmp_path: Path, folder: Path) -> None:
    all_runs = [make(tmp_path, f"run-{number:02}") for number in range(20)]
    trainers = [threading.Thread(target=enter, args=[run]) for run in all_runs * 3]
    for trainer in trainers:
        trainer.start()
    for trainer in trainers:
        trainer.join()
    assert indexed_runs() == all_runs


@pytest.mark.parametrize("place", ["file", "relative"])
def test_an_index_that_cannot_be_written_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").touch()
    state = tmp_path / place if place == "file" else Path(place)
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: state)
    cats = make(tmp_path, "cats")
    (alert,) = introduce(cats, 7)
    assert (alert.severity, alert.kind, alert.step) == ("warning", "index", 7)
    assert "found by its path alone" in alert.message
    assert indexed_runs() == []


def test_who_else_trains_is_told(tmp_path: Path, folder: Path) -> None:
    cats, dogs, owls = (make(tmp_path / place, place) for place in ("cats", "dogs", "owls\x1b"))
    with held(cats):
        assert list(introduce(cats, 0)) == []
        with held(dogs):
            (alert,) = introduce(dogs, 0)
            assert alert.severity == "info"
            assert alert.message == f"Another run trains on this machine: cats (pid {os.getpid()})."
            with held(owls):
                enter(owls)
                (alert,) = introduce(cats, 0)
                assert alert.message.startswith("2 other runs train on this machine: dogs (pid ")
                assert "owls\u241b (pid " in alert.message
