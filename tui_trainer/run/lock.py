"""One trainer a run: a lock that the operating system drops when its holder ends, however it ends."""

import time
from pathlib import Path
from typing import BinaryIO, Final

from tui_trainer.config import InputError
from tui_trainer.run.text import visible_line

try:
    import fcntl
except ImportError:  # Windows has no flock: there the user has to take care
    fcntl = None  # type: ignore[assignment]

LOOKING_SECONDS: Final = 0.2
"""Whoever asks for the state of a run holds its lock for a moment."""


def lock_run(path: Path) -> BinaryIO:
    """Take the lock file of a run; closing it lets go. Raises InputError when another process holds it, or OSError."""
    file = path.open("ab")
    deadline = time.monotonic() + LOOKING_SECONDS
    while fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                file.close()
                run = visible_line(path.parent.name)
                message = f"The run {run} is being trained by another process: attach shows it."
                raise InputError(message) from error
            time.sleep(LOOKING_SECONDS / 10)
    return file


def is_locked(path: Path) -> bool:
    """Whether a trainer holds the lock file of a run."""
    if fcntl is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
