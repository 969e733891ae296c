"""The processes that tests start, all of which end with their test, however it ends.

A process inherits an environment variable, its mark, from the test that starts it. Trainers leave their terminal,
session and parent, but keep their environment, by which they are found; a fork of the test's own process is not. Run as
a program this module is the reaper of a test session: it waits until its standard input is closed, which happens even
when pytest is killed, and then ends what is left.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

import psutil

SESSION: Final = "TUI_TRAINER_TEST_SESSION"
"""In the environment of the workers, and of all they start: which run of pytest they belong to."""

TEST: Final = "TUI_TRAINER_TEST"
"""In the environment of what a test starts: which test that was."""

ROUNDS: Final = 20
"""How often to look again: a process may have started another while it was being ended."""


def with_mark(name: str, value: str, among: Iterable[int]) -> Iterator[psutil.Process]:
    """Those of the processes `among` that have this environment variable with this value."""
    for pid in among:
        with suppress(psutil.Error, OSError):  # it has ended, or is somebody else's
            process = psutil.Process(pid)
            if process.environ().get(name) == value:
                yield process


def end(name: str, value: str, older: frozenset[int] = frozenset()) -> bool:
    """End every process with this mark, except this one and those in `older`; returns whether none is left."""
    for _ in range(ROUNDS):
        found = list(with_mark(name, value, set(psutil.pids()) - older - {os.getpid()}))
        if not found:
            return True
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=1.0)
    return False


def start_reaper(session: str) -> subprocess.Popen[bytes]:
    """A process that ends all of the session's when this one ends."""
    environment = {name: value for name, value in os.environ.items() if name != SESSION}
    return subprocess.Popen(
        [sys.executable, __file__, session],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C is not for it
    )


if __name__ == "__main__":
    sys.stdin.read()
    time.sleep(1.0)  # for what is about to end by itself
    end(SESSION, sys.argv[1])
