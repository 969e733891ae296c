"""Detects that a run's directory was moved, renamed or deleted while the run is trained."""

import time
from typing import Final

from tui_trainer.run.folder import Folder

LOOK_SECONDS: Final = 1.0
"""Least seconds between two checks, each of which makes system calls."""


class DirectoryMonitor:
    """Monitors an open directory; not thread-safe, so its owner calls it under one lock."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._place = folder.locate()
        self._looked_at = time.monotonic()

    def look(self, now: bool = False) -> str:
        """A sentence on what has happened to the directory since the last check; empty if nothing has.

        Checks at most every LOOK_SECONDS, or `now`.
        """
        if not now and time.monotonic() - self._looked_at < LOOK_SECONDS:
            return ""
        self._looked_at = time.monotonic()
        before, self._place = self._place, self._folder.locate()
        if self._place == before:
            return ""
        if self._place is not None:
            return f"The run's directory was moved to {self._place}: the run goes on there."
        if self._folder.deleted:
            return "The run's directory was deleted: training goes on, but nothing of it can be saved any more."
        return "The run's directory was moved: the run goes on there."
