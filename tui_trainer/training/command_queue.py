"""The queue through which commands and requests reach the trainer."""

import queue
from collections import deque
from collections.abc import Iterator

from tui_trainer.run.commands import Command, Stop
from tui_trainer.sessions.requests import OpenRequest


class CommandQueue:
    """Commands and requests in order; any thread may put, the trainer takes."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Command | OpenRequest] = queue.SimpleQueue()
        self._stops = deque[Stop]()
        """Those that have been asked for, and not been forgotten."""

    def put(self, command: Command) -> None:
        if isinstance(command, Stop):
            self._stops.append(command)  # no lock: a signal may come while another holds it
        self._asked.put(command)

    def put_request(self, request: OpenRequest) -> None:
        self._asked.put(request)

    @property
    def pending(self) -> bool:
        return not self._asked.empty()

    @property
    def stopping(self) -> bool:
        """Whether a stop has been asked for: long work is to be interrupted."""
        return bool(self._stops)

    def cancel_stop(self) -> None:
        """Forget the first stop, as nothing could be saved: it must not interrupt what follows, as a later one does."""
        self._stops.popleft()

    def take(self, wait: bool = False) -> Iterator[Command | OpenRequest]:
        """All that has arrived; with `wait`, for as long as it takes until there is something."""
        if wait:
            yield self._asked.get()
        while True:
            try:
                yield self._asked.get_nowait()
            except queue.Empty:
                return
