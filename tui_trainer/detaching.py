"""Leaving the terminal without ending: what lets the shell's prompt come back while the same process trains on.

With a screen the program forks as it starts. The parent, which the shell waits for, does nothing but stand in for the
child: it stops when the child stops, ends as it ends, and passes signals on. The child trains; when it lets go of the
terminal the parent ends, and with it all that the shell knows of.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final, NoReturn

PASSED_ON: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
"""The keyboard's signals reach the child by themselves."""

LET_GO: Final = signal.SIGUSR2
"""The child's word that it has left the terminal."""

WAITED_FOR: Final = {signal.SIGCHLD, signal.SIGINT, LET_GO, *PASSED_ON}


class Terminal:
    """What of this process belongs to the terminal it was started in."""

    def __init__(self) -> None:
        self._descriptors = [number for number in (0, 1, 2) if os.isatty(number)]
        self._parent = 0

    def fork(self) -> None:
        """Return in a child that can leave; the parent stands in for it, and never returns."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        parent, child = os.getpid(), os.fork()
        if child:
            _stand_in_for(child)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._parent = parent

    def leave(self, open_log: Callable[[], BinaryIO]) -> None:
        """Let go for good: what went to the terminal goes to the log from now on, and the shell may go on.

        Where `open_log` raises OSError it goes nowhere.
        """
        with suppress(OSError, RuntimeError):  # it is gone; or a signal came amid a write
            sys.stdout.flush()
        if self._descriptors:
            self._redirect(open_log)
        with suppress(OSError):
            os.setsid()
        if self._parent and os.getppid() == self._parent:
            os.kill(self._parent, LET_GO)

    def _redirect(self, open_log: Callable[[], BinaryIO]) -> None:
        output = os.open(os.devnull, os.O_RDWR)
        if 0 in self._descriptors:
            os.dup2(output, 0)
        with suppress(OSError), open_log() as log:  # a full disk: what would be said is in the journal too
            output = os.dup(log.fileno())
        for number in self._descriptors:
            if number:
                os.dup2(output, number)


def _stand_in_for(child: int) -> NoReturn:
    while True:
        number = signal.sigwait(WAITED_FOR)
        if number == signal.SIGCHLD:
            _follow(child)
        elif number == LET_GO:
            os._exit(0)
        elif number in PASSED_ON:
            with suppress(ProcessLookupError):
                os.kill(child, number)


def _follow(child: int) -> None:
    """Stop or end as the child did, if it did."""
    pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
    if pid == 0:
        return
    if os.WIFSTOPPED(status):
        os.kill(os.getpid(), signal.SIGSTOP)
    elif os.WIFSIGNALED(status):
        os._exit(128 + os.WTERMSIG(status))
    else:
        os._exit(os.waitstatus_to_exitcode(status))
