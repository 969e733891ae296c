"""One trainer a run: a lock that the operating system drops when its holder ends, however it ends."""

from pathlib import Path
from typing import BinaryIO

from tui_trainer.config import InputError
from tui_trainer.run.text import visible_line

try:
    import fcntl
except ImportError:  # Windows has no flock: there the user has to take care
    fcntl = None  # type: ignore[assignment]


def lock_run(path: Path) -> BinaryIO:
    """Take the lock file of a run; closing it lets go. Raises InputError when another process holds it, or OSError."""
    file = path.open("ab")
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        run = visible_line(path.parent.name)
        raise InputError(f"The run {run} is being trained by another process: stop that one first.") from error
    return file
