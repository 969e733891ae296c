"""Where a control socket lies: in the run's directory, or behind a link there when that path is too long for one."""

import os
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

MAX_PATH: Final = 100
"""Bytes that every system takes for a socket's path."""


def bind(path: Path) -> socket.socket:
    """A socket listening at `path` that nobody but this user can reach; raises OSError.

    What a trainer that vanished left there is removed: its lock is ours by now.
    """
    unbind(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        place = path if len(os.fsencode(path.absolute())) <= MAX_PATH else _elsewhere(path)
        before = os.umask(0o177)
        try:
            listener.bind(str(place))
        finally:
            os.umask(before)
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


def unbind(path: Path) -> None:
    """Remove a socket, and the directory that was made for it elsewhere; anything else that lies there stays."""
    with suppress(OSError):
        place = path.parent / path.readlink() if path.is_symlink() else path
        if path.is_symlink():
            path.unlink()
        if stat.S_ISSOCK(place.lstat().st_mode):
            place.unlink()
        if place is not path:
            place.parent.rmdir()


def connect(path: Path) -> socket.socket:
    """A connection to whoever listens at `path`; raises OSError."""
    path.lstat()  # a path too long for a socket is no reason to say anything but that nobody is there
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path.readlink() if path.is_symlink() else path.absolute()))
    except BaseException:
        connection.close()
        raise
    return connection


def _elsewhere(path: Path) -> Path:
    place = Path(tempfile.mkdtemp(prefix="tui-trainer-")) / path.name
    path.symlink_to(place)
    return place
