"""Where a control socket lies, who may reach it, and what becomes of an old one."""

import os
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.control.address import MAX_PATH, SOCKET, bind, connect, unbind


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory for what lies elsewhere: a short path, that of a test is too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)


@pytest.fixture(params=["short", "long", "shared"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, temporary: Path) -> Iterator[Folder]:
    path = temporary / "run"
    if request.param == "long":
        path = tmp_path / ("deep" * 15) / ("deeper" * 10)
        assert len(str(path)) > MAX_PATH
    path.mkdir(parents=True)
    path.chmod(0o777 if request.param == "shared" else 0o755)
    with Folder.open(path) as opened:
        yield opened


def place(folder: Folder) -> Path:
    """Where the socket itself lies."""
    return (folder.path / SOCKET).resolve()


def says_hello(folder: Folder, listener: socket.socket) -> bool:
    answering = threading.Thread(target=lambda: listener.accept()[0].sendall(b"hello"), daemon=True)
    answering.start()
    with connect(folder, TIMEOUT) as connection:
        answer = connection.recv(10)
    answering.join(TIMEOUT)
    assert not answering.is_alive()
    return answer == b"hello"


def test_who_connects_reaches_who_listens(folder: Folder) -> None:
    with bind(folder) as listener:
        assert says_hello(folder, listener)
    unbind(folder)


def test_only_the_owner_may_connect_and_nobody_may_replace_it(folder: Folder) -> None:
    umask = os.umask(0)
    try:
        with bind(folder):
            assert stat.S_IMODE(place(folder).stat().st_mode) == 0o600
            assert stat.S_IMODE(place(folder).parent.stat().st_mode) & 0o022 == 0
    finally:
        os.umask(umask)
    unbind(folder)


def test_the_mode_of_other_new_files_is_left_alone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("every thread has the same umask"))
    bind(folder).close()
    unbind(folder)


def test_what_a_killed_trainer_left_is_replaced(folder: Folder) -> None:
    bind(folder).close()
    before = place(folder)
    with pytest.raises(ConnectionRefusedError):
        connect(folder, TIMEOUT)
    with bind(folder) as listener:
        assert says_hello(folder, listener)
        assert (place(folder) == before) == (before.parent == folder.path)
    unbind(folder)
    assert not before.exists()


def test_nothing_is_left(folder: Folder, temporary: Path) -> None:
    bind(folder).close()
    unbind(folder)
    assert folder.names() == []
    assert [path.name for path in temporary.iterdir() if path.name != "run"] == []
    with pytest.raises(FileNotFoundError):
        connect(folder, TIMEOUT)


def test_a_run_that_moves_is_reached_where_it_is(folder: Folder, temporary: Path) -> None:
    with bind(folder) as listener:
        folder.path.rename(temporary / "moved")
        assert says_hello(folder, listener)
        with Folder.open(temporary / "moved") as seen:
            assert says_hello(seen, listener)
    unbind(folder)
    assert folder.names() == []


def test_a_copy_leaves_the_socket_of_the_original_alone(folder: Folder, temporary: Path) -> None:
    with bind(folder) as listener:
        (temporary / "copy").mkdir(0o777)
        if (folder.path / SOCKET).is_symlink():
            shutil.copy2(folder.path / SOCKET, temporary / "copy" / SOCKET, follow_symlinks=False)
        with Folder.open(temporary / "copy") as copy:
            with pytest.raises((FileNotFoundError, PermissionError)):
                connect(copy, TIMEOUT)
            with bind(copy) as other:
                assert says_hello(copy, other)
            unbind(copy)
        assert says_hello(folder, listener)
    unbind(folder)


@pytest.mark.parametrize("step", ["bind", "listen"])
def test_what_fails_leaves_nothing(folder: Folder, temporary: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(socket.socket, step, fail)
        with pytest.raises(OSError, match="No space left"):
            bind(folder)
    assert folder.names() == []
    assert [path.name for path in temporary.iterdir() if path.name != "run"] == []


def test_a_trainer_that_takes_nobody_in_is_not_waited_for(folder: Folder) -> None:
    with bind(folder) as listener:
        listener.listen(0)
        taken = []

        def connect_until_it_is_full() -> None:
            with suppress(OSError):
                for _ in range(10):
                    taken.append(connect(folder, 0.1))

        connecting = threading.Thread(target=connect_until_it_is_full, daemon=True)
        connecting.start()
        connecting.join(TIMEOUT)
        assert not connecting.is_alive() and 0 < len(taken) < 10
        for connection in taken:
            connection.close()
    unbind(folder)


@pytest.mark.parametrize("folder", ["short"], indirect=True)
def test_a_file_that_is_no_socket_stays(folder: Folder) -> None:
    (folder.path / SOCKET).write_text("mine")
    with pytest.raises(OSError):
        bind(folder)
    assert (folder.path / SOCKET).read_text() == "mine"


@pytest.mark.parametrize("folder", ["short"], indirect=True)
def test_a_link_to_somebody_elses_file_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    (folder.path / SOCKET).symlink_to(theirs)
    bind(folder).close()
    assert theirs.read_text() == "precious" and not (folder.path / SOCKET).is_symlink()
    unbind(folder)


@pytest.mark.parametrize("folder", ["short"], indirect=True)
def test_a_link_to_another_socket_is_neither_connected_to_nor_removed(folder: Folder, temporary: Path) -> None:
    (temporary / "agent").mkdir(0o700)
    other = temporary / "agent" / SOCKET
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.bind(str(other))
        agent.listen()
        (folder.path / SOCKET).symlink_to(other)
        with pytest.raises(PermissionError, match="no trainer of yours"):
            connect(folder, TIMEOUT)
        unbind(folder)
    assert other.exists() and folder.names() == []


@pytest.mark.parametrize("folder", ["long"], indirect=True)
def test_a_directory_elsewhere_that_others_may_enter_is_not_trusted(folder: Folder) -> None:
    with bind(folder):
        place(folder).parent.chmod(0o777)
        with pytest.raises(PermissionError):
            connect(folder, TIMEOUT)
        place(folder).parent.chmod(0o700)
    unbind(folder)
