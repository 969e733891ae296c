"""Job control: stops the app with its whole job, and sets up the terminal again when the job is continued.

Textual does that after ctrl+z, but it stops only its own process, while the shell waits for all processes of the job,
such as a `make` that started the program. After a SIGSTOP, which cannot be handled, Textual would start application
mode a second time, and two threads would read the keys.
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
    """Install handlers for SIGTSTP and SIGCONT. Call it in the loop of the app that runs on `driver`.

    `repaint` draws the whole screen; it is called in the app's thread after the job was continued.
    """
    if driver is not None and hasattr(driver, "_must_signal_resume"):  # else it drives no terminal
        loop = asyncio.get_running_loop()
        signal.signal(signal.SIGTSTP, lambda number, frame: _stop(driver))
        signal.signal(signal.SIGCONT, lambda number, frame: loop.call_soon_threadsafe(_resume, driver, repaint))


def can_be_continued() -> bool:
    """Whether a process outside the job, such as a shell, could continue it once it is stopped.

    Otherwise the job is an orphaned process group in the sense of POSIX, and would stay stopped.
    """
    group, session = os.getpgrp(), os.getsid(0)
    try:
        outside = next(each.pid for each in psutil.Process().parents() if os.getpgid(each.pid) != group)
        return os.getsid(outside) == session
    except (StopIteration, OSError, psutil.Error):
        return False


def _stop(driver: Driver) -> None:
    """Handler of SIGTSTP: restore the terminal, then stop the whole job, this process included."""
    if not can_be_continued():
        _discard_output(driver)
        return
    driver.suspend_application_mode()
    driver._must_signal_resume = True  # type: ignore[attr-defined]
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.killpg(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, handler)


def _resume(driver: Driver, repaint: Callable[[], object]) -> None:
    """After SIGCONT: set up the terminal and draw everything, as its alternate screen is empty.

    Not where no shell could have stopped the job: the terminal was not changed, or belongs to another job for good, and
    a process that changed its modes would be stopped for ever.
    """
    if not can_be_continued():
        _discard_output(driver)
        return
    if not getattr(driver, "_must_signal_resume", False):
        driver.suspend_application_mode()
    driver.resume_application_mode()
    repaint()


def _discard_output(driver: Driver) -> None:
    """Let a suspended driver write to the null device: its writer thread has ended, and the next frame would block."""
    if not getattr(driver, "_must_signal_resume", False):
        return
    null = Path(os.devnull).open("w")  # noqa: SIM115
    driver._writer_thread = WriterThread(null)  # type: ignore[attr-defined]
    driver._writer_thread.start()  # type: ignore[attr-defined]
