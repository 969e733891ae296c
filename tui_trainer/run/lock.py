"""Locks that let only one trainer at a time train a run; the operating system drops them when their holder ends.

A trainer locks the run's directory, a lock that follows a rename and is not in a copy, and the file `trainer.lock` in
it, for file systems that cannot lock directories and for earlier versions, which lock only the file. The file holds the
trainer's process id and host.
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

RETRY_SECONDS: Final = 0.2
"""Seconds to retry, as `is_locked` in another process holds the locks for a moment."""

_MAX_BYTES: Final = 1000
"""Largest lock file read; a host name has at most 255 bytes."""


class RunLock:
    """The locks of a run, held until `close`."""

    def __init__(self, folder: Folder) -> None:
        """Take both locks; raises InputError if another process holds one of them, or OSError."""
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
    """Whether a trainer holds a run's locks; false if the run cannot be opened."""
    try:
        with run.open() as folder:
            return folder_is_locked(folder)
    except OSError:
        return False


def folder_is_locked(folder: Folder) -> bool:
    """Whether a trainer holds the locks of the run in an open directory, which may have been moved."""
    with folder.reopen() as directory:
        if _is_held(directory.fileno()):
            return True
    try:
        with folder.open_to_read(LOCK_FILE) as file:
            return _is_held(file.fileno())
    except OSError:
        return False


def trainer_pid(run: RunDirectory) -> int | None:
    """The id of the process that trains a run; None if there is none, or it is unknown.

    As `last_trainer_pid`; the process must exist and be one that this user may signal.
    """
    pid = last_trainer_pid(run) if is_locked(run) else None
    with suppress(OSError, OverflowError):
        if pid is not None:
            os.kill(pid, 0)  # sends nothing, and raises OSError where this user has no such process
            return pid
    return None


def last_trainer_pid(run: RunDirectory) -> int | None:
    """The id of the process that trains a run, or was the last to do so; None if it is unknown.

    Only a lock file that this user owns and that names this machine is read: another user's could name any process.
    """
    try:
        with run.open() as folder, folder.open_to_read(LOCK_FILE) as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            record = json.loads(file.read(_MAX_BYTES))
        pid = record["pid"]
        return pid if type(pid) is int and pid > 0 and record["host"] == socket.gethostname() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _lock(descriptor: int, folder: Folder, needed: bool) -> None:
    """Lock an open file or directory; unless `needed`, one that the file system cannot lock is no error."""
    deadline = time.monotonic() + RETRY_SECONDS
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                run = visible_line(folder.path.name)
                message = f"The run {run} is being trained by another process: attach shows it."
                raise InputError(message) from error
            time.sleep(RETRY_SECONDS / 10)
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
