"""The processes that tests start, all of which end with their test, however it ends.

What a test starts inherits its environment, and with it a mark. Trainers leave their terminal, their session and
their parent, but not their environment: so they are found, all but a fork of the test's own process. Run as a program
this is the guard of a whole test session: it waits for its standard input to close, which happens even when pytest is
killed, and then ends what is left.
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
    """Those of the processes that were started with this variable in their environment."""
    for pid in among:
        with suppress(psutil.Error, OSError):  # it has ended, or is somebody else's
            process = psutil.Process(pid)
            if process.environ().get(name) == value:
                yield process


def end(name: str, value: str, older: frozenset[int] = frozenset()) -> bool:
    """End every process with this mark but this one, and but for those that were there before; whether none is left."""
    for _ in range(ROUNDS):
        found = list(with_mark(name, value, set(psutil.pids()) - older - {os.getpid()}))
        if not found:
            return True
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=1.0)
    return False


def start_guard(session: str) -> subprocess.Popen[bytes]:
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
    time.sleep(1.0)  # what pytest leaves in good order ends by itself
    end(SESSION, sys.argv[1])
