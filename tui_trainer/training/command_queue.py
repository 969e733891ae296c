"""The queue through which commands reach the trainer."""

import queue
from collections.abc import Iterator

from tui_trainer.run.commands import Command, Stop


class CommandQueue:
    """Commands in order; any thread may put, the trainer takes."""

    def __init__(self) -> None:
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._stopping = False

    def put(self, command: Command) -> None:
        if isinstance(command, Stop):
            self._stopping = True  # no lock: a signal may come while another holds it
        self._commands.put(command)

    @property
    def pending(self) -> bool:
        return not self._commands.empty()

    @property
    def stopping(self) -> bool:
        """Whether a stop has been asked for: long work is to be given up."""
        return self._stopping

    def cancel_stop(self) -> None:
        """The stop could not be obeyed: as if it had not been asked for."""
        self._stopping = False

    def take(self, wait: bool = False) -> Iterator[Command]:
        """Every command that has arrived; with `wait`, for as long as it takes until there is one."""
        if wait:
            yield self._commands.get()
        while True:
            try:
                yield self._commands.get_nowait()
            except queue.Empty:
                return
