"""The process that the shell waits for while its child shows the screen and trains.

It does nothing but stand in for the child: it stops when the child stops, and with it the whole job, ends as the child
ends, passes signals on, and brings the terminal back when the child could not.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from tui_trainer.launch.terminal_modes import TerminalModes

FORWARDED: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT, signal.SIGTSTP)

DETACHED: Final = signal.SIGUSR2
"""The child's word that it has left the terminal."""

WAITED_FOR: Final = {signal.SIGCHLD, DETACHED, *FORWARDED}

CONTINUING_SECONDS: Final = 0.05
"""How long a child that was stopped may take to be continued when its whole job is."""


def run_proxy(child: int, modes: TerminalModes, describe_kill: Callable[[int, int], str]) -> NoReturn:
    """Until the child ends, or lets go; the signals in WAITED_FOR are blocked.

    `describe_kill` is what to say, given the child's id, when a signal of that number has killed it.
    """
    while True:
        number = signal.sigwait(WAITED_FOR)
        if number == signal.SIGCHLD:
            _follow(child, modes, describe_kill)
        elif number == DETACHED:
            os._exit(0)
        else:
            with suppress(ProcessLookupError):
                os.kill(child, number)


def _follow(child: int, modes: TerminalModes, describe_kill: Callable[[int, int], str]) -> None:
    """Stop or end as the child did, if it did."""
    if _is_stopped(child):
        # The whole job may have been stopped, and be continued just now: this process before its child.
        time.sleep(CONTINUING_SECONDS)
    pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
    if pid == 0:
        return
    if os.WIFSTOPPED(status):
        _stop_job()
    elif os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        modes.leave_screen()
        with suppress(OSError):
            os.write(2, describe_kill(child, number).encode(errors="replace") + b"\n")
        os._exit(128 + number)
    else:
        if modes.left_changed:  # a library has ended the child
            modes.leave_screen()
        os._exit(os.waitstatus_to_exitcode(status))


def _is_stopped(child: int) -> bool:
    """Whether it is; `waitpid` will tell so all the same."""
    news = os.waitid(os.P_PID, child, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return news is not None and news.si_code == os.CLD_STOPPED


def _stop_job() -> None:
    """As the terminal does for a key: the shell waits for the whole job to stop, of which this may be a part only.

    Nothing is stopped where no shell could continue it.
    """
    os.killpg(0, signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})  # here this process stops
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
