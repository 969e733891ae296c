"""Where a control socket lies: in the run's directory, or behind a link there to a private directory of its own.

Elsewhere it lies when the path is too long for a socket, or when others may write into the run's directory.
"""

import hashlib
import os
import socket
import stat
import tempfile
from contextlib import suppress
from errno import EPERM
from pathlib import Path
from typing import Final

from tui_trainer.run.folder import Folder

SOCKET: Final = "control.sock"

MAX_PATH: Final = 100
"""Bytes that every system takes for a socket's path."""

PREFIX: Final = "tui-trainer-"
"""Of a directory elsewhere; what tells the run's directory from all others follows: a copied link leads to no trainer
of the copy."""

HASH_LENGTH: Final = 12


def bind(folder: Folder) -> socket.socket:
    """A socket listening in a run's directory that nobody but this user can reach; raises OSError.

    What a trainer that vanished left there is removed: its lock is ours by now.
    """
    unbind(folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path = folder.path.absolute() / SOCKET
        short = len(os.fsencode(path)) <= MAX_PATH
        place = path if short and _only_ours(os.fstat(folder.fileno()), 0o022) else _elsewhere(folder)
        listener.bind(str(place))
        place.chmod(0o600)  # before anybody can connect
        listener.listen()
    except BaseException:
        listener.close()
        unbind(folder)
        raise
    return listener


def unbind(folder: Folder) -> None:
    """Remove a socket, and the directory that was made for it elsewhere; anything else that lies there stays."""
    with suppress(OSError):
        mode = folder.stat(SOCKET).st_mode
        if stat.S_ISSOCK(mode):
            folder.remove(SOCKET)
        elif stat.S_ISLNK(mode):
            place = folder.read_link(SOCKET)
            folder.remove(SOCKET)
            if place.parent.parent == Path(tempfile.gettempdir()) and _is_made_for(folder, place):
                with suppress(FileNotFoundError):  # it was not made any more
                    if stat.S_ISSOCK(place.lstat().st_mode):
                        place.unlink()
                place.parent.rmdir()


def connect(folder: Folder, seconds: float) -> socket.socket:
    """A connection to this user's trainer in a run's directory; raises OSError, also for a link that none made.

    Root may talk to the trainer of another user whose socket is in the directory itself. `seconds` is the timeout of
    the connection, also for connecting: a suspended trainer accepts none.
    """
    place = folder.path.absolute() / SOCKET
    status = folder.stat(SOCKET)
    if stat.S_ISLNK(status.st_mode):
        place = folder.read_link(SOCKET)
        if not (_is_made_for(folder, place) and _is_our_socket(place)):
            raise PermissionError(EPERM, "its control socket is a link that no trainer of yours made")
    elif status.st_uid != os.geteuid() != 0:
        raise PermissionError(EPERM, "its trainer is another user's")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(str(place))
    except BaseException:
        connection.close()
        raise
    return connection


def _elsewhere(folder: Folder) -> Path:
    directory = Path(tempfile.mkdtemp(prefix=_prefix(folder)))
    try:
        folder.link(SOCKET, directory / SOCKET)
    except BaseException:
        directory.rmdir()
        raise
    return directory / SOCKET


def _prefix(folder: Folder) -> str:
    """How the name of the directory begins that is made for a run's socket; a hash, as a socket's path is short."""
    status = os.fstat(folder.fileno())
    identity = hashlib.sha256(f"{status.st_dev}:{status.st_ino}".encode()).hexdigest()
    return f"{PREFIX}{identity[:HASH_LENGTH]}-"


def _is_made_for(folder: Folder, place: Path) -> bool:
    """Whether this path is in a private directory that a trainer of this user's made for just this run."""
    named = place.is_absolute() and place.name == SOCKET and place.parent.name.startswith(_prefix(folder))
    status = place.parent.lstat()
    return named and stat.S_ISDIR(status.st_mode) and _only_ours(status, 0o077)


def _is_our_socket(place: Path) -> bool:
    status = place.lstat()
    return stat.S_ISSOCK(status.st_mode) and status.st_uid == os.geteuid()


def _only_ours(status: os.stat_result, others: int) -> bool:
    """Whether something belongs to this user, and its mode has none of the rights in `others`."""
    return status.st_uid == os.geteuid() and not status.st_mode & others
