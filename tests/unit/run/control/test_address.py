"""Where a control socket lies, who may reach it, and what becomes of an old one."""

import socket
import stat
import threading
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from tui_trainer.run.control.address import MAX_PATH, bind, connect, unbind


@pytest.fixture(params=["short", "long"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path if request.param == "short" else tmp_path / ("deep" * 15) / ("deeper" * 10)
    folder.mkdir(parents=True, exist_ok=True)
    assert request.param == "short" or len(str(folder)) > MAX_PATH
    return folder / "control.sock"


def says_hello(path: Path, listener: socket.socket) -> bool:
    answering = threading.Thread(target=lambda: listener.accept()[0].sendall(b"hello"), daemon=True)
    answering.start()
    with connect(path) as connection:
        answer = connection.recv(10)
    answering.join(TIMEOUT)
    assert not answering.is_alive()
    return answer == b"hello"


def test_who_connects_reaches_who_listens(path: Path) -> None:
    with bind(path) as listener:
        assert says_hello(path, listener)
    unbind(path)


def test_only_the_owner_may_connect(path: Path) -> None:
    with bind(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.resolve().parent.stat().st_mode) & 0o077 == 0
    unbind(path)


def test_what_a_killed_trainer_left_is_replaced(path: Path) -> None:
    bind(path).close()
    place = path.resolve()
    with pytest.raises(ConnectionRefusedError):
        connect(path)
    with bind(path) as listener:
        assert says_hello(path, listener)
        assert path.is_symlink() == (place != path)
    unbind(path)
    assert not place.exists()


def test_nothing_is_left(path: Path) -> None:
    bind(path).close()
    place = path.resolve()
    unbind(path)
    assert not path.exists() and not path.is_symlink()
    assert place == path or not place.parent.exists()
    with pytest.raises(FileNotFoundError):
        connect(path)


def test_a_file_that_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("mine")
    with pytest.raises(OSError):
        bind(path)
    assert path.read_text() == "mine"


def test_a_link_to_somebody_elses_file_is_not_followed(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    path = tmp_path / "control.sock"
    path.symlink_to(theirs)
    bind(path).close()
    assert theirs.read_text() == "precious" and not path.is_symlink()
    unbind(path)
