"""The process that trains a live run, seen from outside: its memory, whether it is suspended, whether it is alone."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tui_trainer.config import InputError
from tui_trainer.run.control.client import Connection
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.lock import trainer_pid

if TYPE_CHECKING:
    import psutil

Answer = TypeVar("Answer")

ANSWER_SECONDS: Final = 1.0
"""How long a trainer may take to say who looks at it; a busy one has it told within a tenth of that."""


@dataclass(frozen=True)
class Presence:
    """None for what cannot be told."""

    pid: int | None = None
    suspended: bool = False
    memory_bytes: int | None = None
    """That is in memory of the process (its resident set)."""
    unattended_since: float | None = None
    """Unix seconds; None while somebody looks."""


def presence(run: RunDirectory) -> Presence:
    """Of the trainer of a live run."""
    pid = trainer_pid(run)
    suspended = pid is not None and is_suspended(pid)
    memory = None if pid is None else _ask_process(pid, lambda process: int(process.memory_info().rss))
    return Presence(pid, suspended, memory, None if suspended else _unattended_since(run))


def is_suspended(pid: int) -> bool:
    """Whether a process is stopped, by ctrl+z or SIGSTOP: it cannot say so itself."""
    return bool(_ask_process(pid, lambda process: process.status() == "stopped"))


def _ask_process(pid: int, question: "Callable[[psutil.Process], Answer]") -> Answer | None:
    """The answer; None from a process that has ended, or is not ours to ask."""
    import psutil  # here, as a run that is trained or shown has no need of it

    with suppress(psutil.Error):
        return question(psutil.Process(pid))
    return None


def _unattended_since(run: RunDirectory) -> float | None:
    deadline = time.monotonic() + ANSWER_SECONDS

    def check() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError("it does not answer")

    with suppress(OSError, InputError), run.open() as folder, Connection(folder, check) as connection:
        return connection.greet().unattended_since
    return None
