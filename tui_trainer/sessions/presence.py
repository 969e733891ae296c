"""The process that trains a live run, seen from another: its memory, its state, and its greeting.

It is asked through its control socket; whether it is suspended is known to the system alone.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

import psutil

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.formats import NewerFormatError
from tui_trainer.run.lock import trainer_pid
from tui_trainer.sessions.control.client import Connection, Greeting

T = TypeVar("T")

ANSWER_SECONDS: Final = 1.0
"""How long a trainer may take to send its greeting; a busy one takes a tenth of that."""


@dataclass(frozen=True)
class Presence:
    """None for what is not known."""

    pid: int | None = None
    suspended: bool = False
    memory_bytes: int | None = None
    """That is in memory of the process (its resident set)."""
    greeting: Greeting | None = None
    """None from a trainer that is suspended, still loads, or does not answer in time."""

    @property
    def attended(self) -> bool | None:
        """Whether a viewer is attached."""
        return None if self.greeting is None else self.greeting.unattended_since is None


def presence(run: RunDirectory) -> Presence:
    """Of the trainer of a live run; raises NewerFormatError where that is of a newer version."""
    pid = trainer_pid(run)
    suspended = pid is not None and is_suspended(pid)
    memory = None if pid is None else _ask_process(pid, lambda process: int(process.memory_info().rss))
    return Presence(pid, suspended, memory, None if suspended else _greeting(run))


def is_suspended(pid: int) -> bool:
    """Whether a process is stopped, by ctrl+z or SIGSTOP: it cannot say so itself."""
    return bool(_ask_process(pid, lambda process: process.status() == "stopped"))


def _ask_process(pid: int, question: Callable[[psutil.Process], T]) -> T | None:
    """The answer; None from a process that has ended, or is not ours to ask."""
    with suppress(psutil.Error):
        return question(psutil.Process(pid))
    return None


def _greeting(run: RunDirectory) -> Greeting | None:
    deadline = time.monotonic() + ANSWER_SECONDS

    def check() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError("it does not answer")

    try:
        with run.open() as folder, Connection(folder, check) as connection:
            greeting = connection.greet()
    except NewerFormatError:
        raise
    except (OSError, InputError):
        return None
    return greeting if greeting.state else None
