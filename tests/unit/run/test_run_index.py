"""The index of runs: adding, finding and dropping runs, and entries that are no runs."""

import os
import threading
from pathlib import Path

import platformdirs
import pytest

from tests.unit.run.test_directory import make_run
from tests.unit.run.test_lock import held
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.lock import LOCK_FILE
from tui_trainer.run.other_runs import add_to_index, look_for_others
from tui_trainer.run.run_index import add_run, drop_missing, indexed_runs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the index is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "tui-trainer" / "runs"


def make(root: Path, name: str) -> RunDirectory:
    return RunDirectory(make_run(root, name))


def test_an_added_run_is_found_once_by_its_absolute_path(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "cats")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        add_run(RunDirectory(Path("runs/cats")))
    assert indexed_runs() == [RunDirectory(tmp_path / "runs" / "cats")]
    assert folder.stat().st_mode & 0o077 == 0


def test_without_an_index_there_are_no_runs(folder: Path) -> None:
    assert indexed_runs() == []
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    assert indexed_runs() == []


def test_a_moved_or_deleted_run_is_dropped(tmp_path: Path, folder: Path) -> None:
    moved, other = make(tmp_path, "moved"), make(tmp_path, "other")
    add_run(moved)
    moved.path.rename(tmp_path / "away")
    assert indexed_runs() == []
    add_run(other)
    assert len(list(folder.iterdir())) == 2
    drop_missing()
    assert len(list(folder.iterdir())) == 1
    add_run(RunDirectory(tmp_path / "away"))
    assert [run.name for run in indexed_runs()] == ["away", "other"]


def test_a_run_on_an_unmounted_disk_is_kept(tmp_path: Path, folder: Path) -> None:
    cats = make(tmp_path / "disk" / "runs", "cats")
    add_run(cats)
    (tmp_path / "disk" / "runs").rename(tmp_path / "away")
    drop_missing()
    assert indexed_runs() == []
    (tmp_path / "away").rename(tmp_path / "disk" / "runs")
    assert indexed_runs() == [cats]


def test_circular_and_dangling_links_are_dropped(tmp_path: Path, folder: Path) -> None:
    drop_missing()  # without an index
    folder.mkdir(parents=True)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "relative").symlink_to("../cats")
    (folder / "file").touch()
    drop_missing()
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_runs_of_other_users_are_left_out(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cats = make(tmp_path, "cats")
    add_run(cats)
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


def test_many_trainers_add_at_once(tmp_path: Path, folder: Path) -> None:
    all_runs = [make(tmp_path, f"run-{number:02}") for number in range(20)]
    trainers = [threading.Thread(target=add_run, args=[run]) for run in all_runs * 3]
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
    (alert,) = add_to_index(cats, 7)
    assert (alert.severity, alert.kind, alert.step) == ("warning", "index", 7)
    assert "found by its path alone" in alert.message
    assert indexed_runs() == []


def test_other_runs_cause_an_alert(tmp_path: Path, folder: Path) -> None:
    cats, dogs, owls = (make(tmp_path / place, place) for place in ("cats", "dogs", "owls\x1b"))
    add_run(cats)
    add_run(dogs)
    with held(cats):
        assert list(look_for_others(cats)) == []
        with held(dogs):
            (alert,) = look_for_others(dogs)
            assert alert.severity == "info"
            assert alert.message == f"Another run trains on this machine: cats (pid {os.getpid()})."
            with held(owls):
                add_run(owls)
                (alert,) = look_for_others(cats)
                assert alert.message.startswith("2 other runs train on this machine: dogs (pid ")
                assert "owls\u241b (pid " in alert.message


def test_a_run_of_another_machine_causes_no_alert(tmp_path: Path, folder: Path) -> None:
    cats, dogs = (make(tmp_path, name) for name in ("cats", "dogs"))
    with held(cats):
        (cats.path / LOCK_FILE).write_text('{"pid": 1, "host": "of another machine"}')
        assert list(look_for_others(dogs)) == []
