"""Who watches a live run: its own terminal, and attached viewers."""

import threading
import time

from tui_trainer.run.commands import ATTACHED, Attach, Command, Detach


class Attendance:
    """Counts attach and detach commands; any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own = False
        """Whether the trainer's own terminal is there."""
        self._viewers = 0
        self.unattended_since: float | None = time.time()
        """Unix seconds; None while a viewer is attached."""

    def apply(self, command: Command) -> None:
        """Count a command, if it is attach or detach."""
        if not isinstance(command, Attach | Detach):
            return
        came = isinstance(command, Attach)
        with self._lock:
            if command.source == ATTACHED:
                self._viewers += 1 if came else -1
            else:
                self._own = came
            if self._own or self._viewers:
                self.unattended_since = None
            elif self.unattended_since is None:
                self.unattended_since = time.time()
