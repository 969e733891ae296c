"""Keeps the index beside the journal of a run that is being trained, in a thread of its own."""

import threading
from contextlib import suppress
from typing import Final

from tui_trainer.run.folder import Folder
from tui_trainer.sessions.past import Past

EVERY_SECONDS: Final = 30.0
"""From index to index, of a run that takes as many steps meanwhile as are worth one."""

NAP_SECONDS: Final = 0.02
"""After every few milliseconds of reading, so that it is not felt by the thread that trains."""

CLOSE_SECONDS: Final = 2.0
"""Most of the time that the end of a run waits for the last index."""


class IndexWriter:
    """Reads the journal as it grows, as any viewer would: the trainer's thread knows nothing of it.

    What goes wrong ends it, and nothing else: whoever opens the run reads what the index lacks.
    """

    def __init__(self, folder: Folder) -> None:
        self._past = Past(folder)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal index", daemon=True)
        self._started = False
        with suppress(RuntimeError):  # the system has no thread left
            self._thread.start()
            self._started = True

    def close(self) -> None:
        """Write the last index; to be called when all is in the journal."""
        self._over.set()
        if self._started:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        with suppress(OSError):
            while not self._over.wait(EVERY_SECONDS):
                self._update()
            self._update()

    def _update(self) -> None:
        for _ in self._past.read():
            self._over.wait(NAP_SECONDS)
        self._past.write_index()
