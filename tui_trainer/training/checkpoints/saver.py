"""Saves checkpoints in a thread of its own; training is held while the last one is still written and a copy is made."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from tui_trainer.run import alerts
from tui_trainer.run.events import BEST, CheckpointSaved, Event
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.errors import out_of_memory
from tui_trainer.training.memory import within_memory
from tui_trainer.training.progress import Progress

NO_ROOM: Final = "not enough memory"


class Saver:
    """One checkpoint is written at a time; the next one waits for it.

    A best model that could not be written stays in memory, and is tried again before the next checkpoint.
    """

    def __init__(self, store: CheckpointStore, publish: Callable[[Event], None], saved: Progress | None = None) -> None:
        self._store, self._publish = store, publish
        self._worker = ThreadPoolExecutor(1, "checkpoints")
        self._writing: Future[bool] | None = None
        self.step: int | None = None
        """Of the newest checkpoint that is saved, or being saved."""
        self.saved = saved
        """The progress in the newest checkpoint that is known to be whole; valid once `wait` has returned."""
        self._refused_best: Contents | None = None
        """The best model, while it could not be written; used by the writing thread alone."""

    def save(self, step: int, copy: Callable[[], Contents], reason: str) -> None:
        """Wait for the checkpoint before, copy what the one of `step` holds, and begin to write it."""
        started = time.perf_counter()
        self.wait()
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
        self._write_refused_best(contents)
        if why := self._store_and_publish(contents, reason, held):
            self._refused_best = contents if _is_best(contents) else self._refused_best
            return self._refuse(contents.progress.step, why)
        self.saved = contents.progress
        return True

    def _write_refused_best(self, later: Contents) -> None:
        """Unless a later checkpoint has the same weights, or better ones."""
        best, wanted = self._refused_best, later.progress.best_step
        if best is None or _is_best(later) or best.progress.step != wanted or not self._store_and_publish(best, BEST):
            self._refused_best = None

    def _store_and_publish(self, contents: Contents, reason: str, held: float = 0.0) -> str:
        """Why a checkpoint could not be saved; empty if it is."""
        started = time.perf_counter()
        try:
            path = str(self._store.save(contents, reason))
        except OSError as error:
            return error.strerror or str(error)
        except Exception as error:
            if not out_of_memory(error):
                raise
            return NO_ROOM
        seconds, step = time.perf_counter() - started, contents.progress.step
        self._publish(CheckpointSaved(step=step, path=path, reason=reason, held_seconds=held, write_seconds=seconds))
        return ""


def _is_best(contents: Contents) -> bool:
    """Whether a checkpoint has the best model so far."""
    progress = contents.progress
    return progress.best_loss is not None and progress.best_step == progress.step


def _saved_values(progress: Progress) -> tuple[int, int, bool, float, str]:
    return progress.step, progress.rollbacks, progress.finished, progress.temperature, progress.prompt
