"""Writes the index beside the journal of a run that is being trained."""

import threading
from collections.abc import Callable
from typing import Final

from tui_trainer.run.events import Event
from tui_trainer.sessions.journal_reader import JournalReader

EVERY_SECONDS: Final = 30.0
"""From index to index, of a run that takes as many steps meanwhile as are worth one."""

CLOSE_SECONDS: Final = 5.0
"""Most of the time that the end of a run waits for the last index."""


class IndexWriter:
    """Adds entries as the journal grows; writes the index in a thread of its own, now and then and at the end.

    Where it cannot be written there is none, or an older one: the rest is read from the journal when the run is opened.
    """

    def __init__(self, reader: JournalReader, offset: Callable[[], int | None]) -> None:
        """Of a run whose state and journal go on from those of `reader`.

        `offset` returns where the next event will be in the journal; None while others wait to be written before it.
        """
        self._reader, self._offset = reader, offset
        self._over = threading.Event()
        self._thread: threading.Thread | None = threading.Thread(target=self._run, name="journal index", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system has no thread left
            self._thread = None

    def before_event(self, event: Event) -> None:
        """Before an event changes the state, and is journalled; the caller holds the lock for both."""
        self._reader.before_event(event, self._offset)

    def close(self) -> None:
        """Write the last index; to be called when all is in the journal."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            self._reader.write_index()
        self._reader.write_index()
