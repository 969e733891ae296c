"""Waits with a timeout, after which the test fails and names what did not come."""

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from tui_trainer.run.events import Event

TIMEOUT: Final = 45.0
"""Seconds; less than the timeout of a test in pyproject.toml."""


def until(true: Callable[[], object], what: str = "what was waited for", seconds: float = TIMEOUT) -> None:
    """Poll until `true` returns something true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.01)


def arriving(events: "queue.SimpleQueue[Event]", seconds: float = TIMEOUT) -> Iterator[Event]:
    """The events of a queue as they arrive; fails if the caller still iterates after `seconds`."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        with suppress(queue.Empty):
            last = events.get(timeout=0.5)
            yield last
    raise AssertionError(f"the event did not come within {seconds:.0f} s; the last was {last}")
