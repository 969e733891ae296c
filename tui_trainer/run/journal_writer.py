"""Writes a run's journal: events that cannot be written wait in memory, in order, and are written later."""

import errno
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Final

from tui_trainer.run import alerts
from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import Alert, Event, StateChanged, Step
from tui_trainer.run.journal import Journal

RETRY_SECONDS: Final = 1.0

MAX_WAITING: Final = 10_000
"""Events that may wait before droppable ones are left out, until all that waits is written."""

BATCH: Final = 500
"""Waiting events that are written at once, while the lock is held."""

PAUSE_SECONDS: Final = 0.01
"""Between two batches, for others to take the lock."""

PAST_REASONS: Final = {errno.ENOSPC: "the disk was full", errno.EDQUOT: "the disk quota was used up"}
"""What to say of an error after it is over."""


class JournalWriter:
    """Appends events. The caller holds `lock`; the thread that tries again takes it, too.

    `publish` publishes an alert, and has to append it here.
    """

    def __init__(self, journal: Journal, lock: threading.RLock, publish: Callable[[Event], None]) -> None:
        self._journal, self._lock, self._publish = journal, lock, publish
        self._waiting: deque[Event] = deque()
        self._reason = ""
        """Why the last write failed; empty if it did not."""
        self._retry_at = 0.0
        self._last_step = 0
        self._missing: tuple[int, int] | None = None
        """The first and the last step that were left out since writes began to fail."""
        self._closed = False
        self._retrying = False
        """Whether a thread is there that tries again."""

    @property
    def size(self) -> int:
        """Bytes of the journal with all events but those that wait."""
        return self._journal.size

    def next_offset(self) -> int | None:
        """Where the line of the next event will begin; None while others wait to be written before it."""
        return None if self._waiting or self._missing else self.size

    def append(self, event: Event) -> None:
        """Write an event, now or later."""
        if event.droppable and (self._missing or len(self._waiting) >= MAX_WAITING):
            if isinstance(event, Step):
                self._missing = (self._missing or (event.step, 0))[0], event.step
        else:
            self._waiting.append(event)
        self._last_step = event.step
        if not self._reason or isinstance(event, StateChanged) or time.monotonic() >= self._retry_at:
            self._write_batch()

    def waiting(self) -> list[Event]:
        """What is not in the journal yet, in order, and what will not be."""
        return [*self._waiting, *([self._gap()] if self._missing else [])]

    def close(self) -> str:
        """Try for the last time; what the journal lacks for good, in a sentence, or nothing."""
        self._closed = True
        while (self._waiting or self._missing) and self._write_batch():
            pass
        try:
            self._journal.close()
        except OSError as error:  # some file systems tell only here that they have not written
            return f"The journal may lack the last events: {error.strerror or error}."
        if not self._waiting:
            return ""
        steps = [event.step for event in self._waiting if isinstance(event, Step)] + list(self._missing or ())
        which = f", {_range(min(steps), max(steps))} among them" if steps else ""
        return f"The journal lacks the last events{which}: {self._reason}."

    def _write_batch(self) -> bool:
        """Write the first events that wait; whether they could be written."""
        try:
            batch = list(islice(self._waiting, BATCH))
            self._journal.append(*batch)
        except OSError as error:
            self._refused(error)
            return False
        for _ in batch:
            self._waiting.popleft()
        if self._reason and not self._waiting:
            self._written_again()
        return True

    def _refused(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        first, self._reason = not self._reason, PAST_REASONS.get(error.errno or 0, reason)
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if first and not self._closed:
            self._keep_trying()
            message = f"The journal cannot be written ({reason}): what happens is kept, and written when it can be."
            self._publish(alerts.journal(self._last_step, message, Severity.ERROR))

    def _written_again(self) -> None:
        if self._missing:
            alert = self._gap()
        else:
            message = "The journal is written again: nothing is missing in it."
            alert = alerts.journal(self._last_step, message, Severity.INFO)
        self._reason, self._missing = "", None
        self._publish(alert)

    def _gap(self) -> Alert:
        assert self._missing is not None
        return missing_steps(*self._missing, self._last_step, self._reason)

    def _keep_trying(self) -> None:
        """Start the thread that tries again, unless that of an earlier failure still runs."""
        if not self._retrying:
            with suppress(RuntimeError):  # the system has no thread left: the next event tries again
                threading.Thread(target=self._try_again, name="journal", daemon=True).start()
                self._retrying = True  # it takes the lock before it looks

    def _try_again(self) -> None:
        """Until all is written; events may come too seldom to wait for the next.

        Who publishes waits for the lock no longer than one batch takes.
        """
        written = False
        while True:
            time.sleep(PAUSE_SECONDS if written else RETRY_SECONDS)
            with self._lock:
                if not self._reason or self._closed:
                    self._retrying = False
                    return
                written = time.monotonic() >= self._retry_at and self._write_batch()


def missing_steps(first: int, last: int, step: int, reason: str) -> Alert:
    """The alert that is journalled at `step` instead of steps that are missing."""
    verb = "is" if first == last else "are"
    sentence = f"{_range(first, last)} {verb} not in the journal: {reason}."
    return alerts.journal(step, sentence[0].upper() + sentence[1:], Severity.WARNING)


def _range(first: int, last: int) -> str:
    return f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
