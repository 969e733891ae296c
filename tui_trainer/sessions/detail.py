"""The detail that a history in memory has dropped, read from a run's journal in a thread of its own."""

import threading
from concurrent.futures import Future
from errno import ENOENT
from pathlib import Path

from tui_trainer.history.detail import Detail, read_detail
from tui_trainer.run.directory import RunDirectory


def load_detail(place: Path | None, first: int, last: int) -> Future[Detail]:
    """The steps from `first` to `last` of the run in a directory; the future has OSError where they cannot be read."""
    loaded: Future[Detail] = Future()
    threading.Thread(target=_load, args=(loaded, place, first, last), name="detail", daemon=True).start()
    return loaded


def _load(loaded: Future[Detail], place: Path | None, first: int, last: int) -> None:
    try:
        if place is None:
            raise FileNotFoundError(ENOENT, "the run has no directory yet")
        with RunDirectory(place).open() as folder:
            loaded.set_result(read_detail(folder, first, last))
    except Exception as error:
        loaded.set_exception(error)
