"""Waits that end: what a test waits for comes in time, or the test fails and says what did not come."""

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from tui_trainer.run.events import Event

TIMEOUT: Final = 45.0
"""Seconds after which what is waited for will not come: less than a test may take (pyproject.toml)."""


def until(true: Callable[[], object], what: str = "what was waited for", seconds: float = TIMEOUT) -> None:
    """Ask again and again, until it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.01)


def arriving(events: "queue.SimpleQueue[Event]", seconds: float = TIMEOUT) -> Iterator[Event]:
    """The events of a queue as they come; fails when nobody has taken the last one that was wanted in time."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        with suppress(queue.Empty):
            last = events.get(timeout=0.5)
            yield last
    raise AssertionError(f"the event did not come within {seconds:.0f} s; the last was {last}")
