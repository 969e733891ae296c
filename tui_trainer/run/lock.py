"""One trainer a run: locks that the operating system drops when their holder ends, however it ends.

A trainer locks the run's directory itself, which stays the same when it is renamed and is another in a copy, and the
file `trainer.lock` in it, for file systems that lock no directories and for trainers that know only the file. The file
tells who trains.
"""

import json
import os
import socket
import time
from contextlib import suppress
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.folder import Folder
from tui_trainer.run.text import visible_line

try:
    import fcntl
except ImportError:  # Windows has no flock: there the user has to take care
    fcntl = None  # type: ignore[assignment]

LOCK_FILE: Final = "trainer.lock"

LOOKING_SECONDS: Final = 0.2
"""Whoever asks for the state of a run holds its locks for a moment."""

_MAX_BYTES: Final = 1000
"""Of a lock file; a host's name has at most 255."""


class RunLock:
    """The locks of a run, held until `close`."""

    def __init__(self, folder: Folder) -> None:
        """Raises InputError when another process holds one of them, or OSError."""
        self._directory = folder.reopen()
        try:
            _lock(self._directory.fileno(), folder, needed=False)
            self._file = folder.open_to_append(LOCK_FILE)
        except BaseException:
            self._directory.close()
            raise
        try:
            _lock(self._file.fileno(), folder, needed=True)
            with suppress(OSError):  # a full disk: the run is locked all the same
                self._file.truncate(0)
                self._file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode() + b"\n")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._file.close()
        self._directory.close()

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_locked(run: RunDirectory) -> bool:
    """Whether a trainer holds a run."""
    try:
        with run.open() as folder:
            return folder_is_locked(folder)
    except OSError:
        return False


def folder_is_locked(folder: Folder) -> bool:
    """Whether a trainer holds the run of an open directory, wherever that is by now."""
    with folder.reopen() as directory:
        if _is_held(directory.fileno()):
            return True
    try:
        with folder.open_to_read(LOCK_FILE) as file:
            return _is_held(file.fileno())
    except OSError:
        return False


def trainer_pid(run: RunDirectory) -> int | None:
    """The process that trains a run; None where there is none, or it cannot be told.

    Only what a file of this user's says about this machine is believed: a stranger's could name any process.
    """
    pid = last_trainer_pid(run) if is_locked(run) else None
    with suppress(OSError, OverflowError):
        if pid is not None:
            os.kill(pid, 0)  # sends nothing, and raises OSError where this user has no such process
            return pid
    return None


def last_trainer_pid(run: RunDirectory) -> int | None:
    """The process that trains a run, or was the last to do so; None where that cannot be told."""
    try:
        with run.open() as folder, folder.open_to_read(LOCK_FILE) as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            told = json.loads(file.read(_MAX_BYTES))
        pid = told["pid"]
        return pid if type(pid) is int and pid > 0 and told["host"] == socket.gethostname() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _lock(descriptor: int, folder: Folder, needed: bool) -> None:
    """Lock an open file or directory for this process; not `needed` is one that the file system refuses to lock."""
    deadline = time.monotonic() + LOOKING_SECONDS
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                run = visible_line(folder.path.name)
                message = f"The run {run} is being trained by another process: attach shows it."
                raise InputError(message) from error
            time.sleep(LOOKING_SECONDS / 10)
        except OSError:
            if needed:
                raise
            break


def _is_held(descriptor: int) -> bool:
    """Whether another process holds the lock of an open file or directory."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
