"""Being stopped and continued: the shell has had the terminal meanwhile, so the screen has to take it anew.

Textual does that after ctrl+z, when it has given the terminal back itself, but it stops its own process alone, where a
shell waits for all of the job that the terminal would have stopped: `make`, say, which started the program. After a
SIGSTOP, which gives no warning, Textual would take the terminal a second time, and twice as many threads would read the
keys.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread


def stop_and_continue_with_job(driver: Driver | None, repaint: Callable[[], object]) -> None:
    """To be called in the loop of an app that runs on `driver`, and paints all of its screen when told to `repaint`."""
    if driver is not None and hasattr(driver, "_must_signal_resume"):  # else it is no terminal's
        loop = asyncio.get_running_loop()
        signal.signal(signal.SIGTSTP, lambda number, frame: _stop(driver))
        signal.signal(signal.SIGCONT, lambda number, frame: loop.call_soon_threadsafe(_retake, driver, repaint))


def shell_waits() -> bool:
    """Whether there is a process outside the job, such as a shell, that could continue it.

    Else the job's process group is what POSIX calls orphaned: a stopped one would stay so.
    """
    group, session = os.getpgrp(), os.getsid(0)
    try:
        outside = next(each.pid for each in psutil.Process().parents() if os.getpgid(each.pid) != group)
        return os.getsid(outside) == session
    except (StopIteration, OSError, psutil.Error):
        return False


def _stop(driver: Driver) -> None:
    """Give the terminal back, then stop the whole job, this process included."""
    if not shell_waits():
        _write_nowhere(driver)
        return
    driver.suspend_application_mode()
    driver._must_signal_resume = True  # type: ignore[attr-defined]
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.killpg(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, handler)


def _retake(driver: Driver, repaint: Callable[[], object]) -> None:
    """Take the terminal, whose alternate screen is empty: to paint what has changed since would not do.

    Where no shell waits nobody has had it, or the shell has it for good: who took it then would be stopped for ever.
    """
    if not shell_waits():
        _write_nowhere(driver)
        return
    if not getattr(driver, "_must_signal_resume", False):
        driver.suspend_application_mode()
    driver.resume_application_mode()
    repaint()


def _write_nowhere(driver: Driver) -> None:
    """If it has given the terminal back its writer thread has ended, and a frame would be waited for, for ever."""
    if not getattr(driver, "_must_signal_resume", False):
        return
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115
    driver._writer_thread = WriterThread(nowhere)  # type: ignore[attr-defined]
    driver._writer_thread.start()  # type: ignore[attr-defined]
