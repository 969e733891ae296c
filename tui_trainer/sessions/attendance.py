"""Who looks at a live run: its own screen, and viewers that are attached."""

import threading
import time

from tui_trainer.run.commands import Attach, Command, Detach
from tui_trainer.sessions.control.server import SOURCE


class Attendance:
    """Counts who comes and goes; any thread may tell it and ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own = False
        """Whether the trainer's own terminal is there."""
        self._viewers = 0
        self.unattended_since: float | None = time.time()
        """Unix seconds; None while somebody looks."""

    def apply(self, command: Command) -> None:
        """Take note of a command, if it is about that."""
        if not isinstance(command, Attach | Detach):
            return
        came = isinstance(command, Attach)
        with self._lock:
            if command.source == SOURCE:
                self._viewers += 1 if came else -1
            else:
                self._own = came
            if self._own or self._viewers:
                self.unattended_since = None
            elif self.unattended_since is None:
                self.unattended_since = time.time()
