"""Saves checkpoints in a thread of its own; training is held only while a copy is made."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from tui_trainer.run import alerts
from tui_trainer.run.events import CheckpointSaved, Event
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.errors import out_of_memory
from tui_trainer.training.memory import within_memory
from tui_trainer.training.progress import Progress

NO_ROOM: Final = "not enough memory"


class Saver:
    """One checkpoint is written at a time; the next one waits for it."""

    def __init__(self, store: CheckpointStore, publish: Callable[[Event], None], saved: Progress | None = None) -> None:
        self._store, self._publish = store, publish
        self._worker = ThreadPoolExecutor(1, "checkpoints")
        self._writing: Future[bool] | None = None
        self.step: int | None = None
        """Of the newest checkpoint that is saved, or being saved."""
        self.saved = saved
        """The progress in the newest checkpoint that is known to be whole; valid once `wait` has returned."""

    def save(self, step: int, copy: Callable[[], Contents], reason: str) -> None:
        """Copy what the checkpoint of `step` holds, and begin to write it."""
        self.wait()
        started = time.perf_counter()
        try:
            contents = within_memory(copy)
        except MemoryError:
            self._writing = Future()
            self._writing.set_result(self._refuse(step, NO_ROOM))
            return
        held = time.perf_counter() - started
        self.step = step
        self._writing = self._worker.submit(self._write, contents, reason, held)

    def wait(self) -> bool:
        """Wait for what is being written; whether the last checkpoint could be saved."""
        return self._writing is None or self._writing.result()

    @property
    def saved_step(self) -> int | None:
        """The step of `saved`; None where there is none."""
        return None if self.saved is None else self.saved.step

    def has(self, progress: Progress) -> bool:
        """Whether nothing is to be saved where a run stands: neither steps, nor its end, nor its settings."""
        return self.saved is not None and _saved_values(self.saved) == _saved_values(progress)

    @property
    def refused(self) -> bool:
        """Whether the last checkpoint could not be saved, as far as is known by now."""
        return self._writing is not None and self._writing.done() and not self._writing.result()

    def _refuse(self, step: int, why: str) -> bool:
        self.step = None
        self._publish(alerts.checkpoint(step, f"The checkpoint could not be saved: {why}."))
        return False

    def _write(self, contents: Contents, reason: str, held: float) -> bool:
        step = contents.progress.step
        started = time.perf_counter()
        try:
            path = self._store.save(contents, reason)
        except OSError as error:
            return self._refuse(step, error.strerror or str(error))
        except Exception as error:
            if not out_of_memory(error):
                raise
            return self._refuse(step, NO_ROOM)
        self.saved = contents.progress
        seconds = time.perf_counter() - started
        self._publish(
            CheckpointSaved(step=step, path=str(path), reason=reason, held_seconds=held, write_seconds=seconds)
        )
        return True


def _saved_values(progress: Progress) -> tuple[int, int, bool, float, str]:
    return progress.step, progress.rollbacks, progress.finished, progress.temperature, progress.prompt
