"""The locks of a run: what holds them, what cannot take them away, and who is said to hold them."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tui_trainer.config import InputError
from tui_trainer.run import lock
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.lock import RunLock, is_locked, trainer_pid


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "cats").mkdir()
    return RunDirectory(tmp_path / "cats")


def held(run: RunDirectory) -> RunLock:
    """The locks of a run, taken as a trainer takes them."""
    with run.open() as folder:
        return RunLock(folder)


def test_a_run_is_locked_until_its_trainer_closes_the_lock(run: RunDirectory) -> None:
    with held(run):
        assert is_locked(run)
        with pytest.raises(InputError, match="cats is being trained by another process"):
            held(run)
    assert not is_locked(run)
    held(run).close()


def test_without_its_lock_file_a_run_stays_locked(run: RunDirectory) -> None:
    with held(run):
        (run.path / "trainer.lock").unlink()
        assert is_locked(run)
        with pytest.raises(InputError, match="is being trained"):
            held(run)


def test_a_run_that_moves_stays_locked(run: RunDirectory, tmp_path: Path) -> None:
    with held(run):
        moved = RunDirectory(run.path.rename(tmp_path / "dogs"))
        assert is_locked(moved)
        assert trainer_pid(moved) == os.getpid()
        run.path.mkdir()
        assert not is_locked(run)


def test_a_copy_of_a_run_is_not_locked(run: RunDirectory, tmp_path: Path) -> None:
    with held(run):
        copy = RunDirectory(Path(shutil.copytree(run.path, tmp_path / "copy")))
        assert not is_locked(copy)
        assert trainer_pid(copy) is None
        held(copy).close()


def test_a_lock_on_the_file_alone_counts(run: RunDirectory) -> None:
    with (run.path / "trainer.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_locked(run)
        with pytest.raises(InputError, match="is being trained"):
            held(run)
    assert not is_locked(run)


def test_a_file_system_without_directory_locks(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.flock

    def flock(descriptor: Any, operation: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(9, "Bad file descriptor")
        real(descriptor, operation)

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with held(run):
        assert is_locked(run)
        with pytest.raises(InputError, match="is being trained"):
            held(run)


def test_the_trainers_process_id_is_known_while_it_trains(run: RunDirectory) -> None:
    assert trainer_pid(run) is None
    with held(run):
        assert trainer_pid(run) == os.getpid()
    assert trainer_pid(run) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "{",
        "[" * 900,
        "9" * 999,
        '{"pid": 0, "host": "HOST"}',
        '{"pid": true, "host": "HOST"}',
        '{"pid": 1000000000000000000000000, "host": "HOST"}',
        '{"pid": PID, "host": "elsewhere"}',
        '{"pid": PID}',
        " " * 1000 + '{"pid": PID, "host": "HOST"}',
    ],
)
def test_a_damaged_lock_file_names_no_process(run: RunDirectory, text: str) -> None:
    with held(run):
        told = text.replace("PID", str(os.getpid())).replace("HOST", socket.gethostname())
        (run.path / "trainer.lock").write_text(told)
        assert is_locked(run)
        assert trainer_pid(run) is None


def test_an_ended_process_is_not_named(run: RunDirectory) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with held(run):
        (run.path / "trainer.lock").write_text(json.dumps({"pid": ended.pid, "host": socket.gethostname()}))
        assert trainer_pid(run) is None


def test_a_lock_file_of_another_user_names_no_process(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(run):
        monkeypatch.setattr(os, "geteuid", lambda: run.path.stat().st_uid + 1)
        assert trainer_pid(run) is None


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "second name"])
def test_links_and_pipes_in_place_of_the_lock_file(run: RunDirectory, tmp_path: Path, kind: str) -> None:
    mine, place = tmp_path / "mine", run.path / "trainer.lock"
    mine.write_text("mine")
    match kind:
        case "link":
            place.symlink_to(mine)
        case "pipe":
            os.mkfifo(place)
        case "directory":
            place.mkdir()
        case _:
            place.hardlink_to(mine)
    with pytest.raises(OSError):
        held(run)
    assert not is_locked(run)
    assert trainer_pid(run) is None
    assert mine.read_text() == "mine"


def test_a_run_of_another_user_is_refused(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: run.path.stat().st_uid + 1)
    with pytest.raises(InputError, match="cats belongs to another user"):
        run.open_to_train()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    run.open_to_train().close()
