"""The proxy process: the parent, which the shell waits for, of the child that shows the screen and trains.

It forwards signals to the child, stops with the whole job when the child stops, exits with the child's status, and
restores the terminal's modes when the child could not.
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
"""Sent by the child when it has detached from the terminal."""

WAITED_FOR: Final = {signal.SIGCHLD, DETACHED, *FORWARDED}

CONTINUING_SECONDS: Final = 0.05
"""How long after this process its child may be continued, when the whole job is."""


def run_proxy(child: int, modes: TerminalModes, describe_kill: Callable[[int, int], str]) -> NoReturn:
    """Follow the child until it ends or detaches, then exit; the signals in WAITED_FOR must be blocked.

    `describe_kill` returns what to print when a signal has killed the child, given its process id and the signal.
    """
    while True:
        number = signal.sigwait(WAITED_FOR)
        if number == signal.SIGCHLD:
            _on_child_changed(child, modes, describe_kill)
        elif number == DETACHED:
            os._exit(0)
        else:
            with suppress(ProcessLookupError):
                os.kill(child, number)


def _on_child_changed(child: int, modes: TerminalModes, describe_kill: Callable[[int, int], str]) -> None:
    """Stop if the child has stopped, exit if it has ended."""
    if _is_stopped(child):
        # The whole job may have been stopped, and be about to be continued: this process first, then its child.
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
        if modes.left_changed:  # a library ended the child without leaving its screen
            modes.leave_screen()
        os._exit(os.waitstatus_to_exitcode(status))


def _is_stopped(child: int) -> bool:
    """Whether the child is stopped now; leaves its status for `waitpid`."""
    status = os.waitid(os.P_PID, child, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return status is not None and status.si_code == os.CLD_STOPPED


def _stop_job() -> None:
    """Stop the whole process group, as the terminal does for ctrl+z: the shell waits for all of the job's processes.

    The kernel ignores SIGTSTP in an orphaned group, which no shell could continue.
    """
    os.killpg(0, signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})  # here this process stops
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
