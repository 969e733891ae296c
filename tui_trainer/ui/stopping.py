"""Being stopped and continued: the shell has had the terminal meanwhile, so the screen has to take it anew.

Textual does that after ctrl+z, when it has given the terminal back itself. After a SIGSTOP, which gives no warning, it
would take it a second time, and twice as many threads would read the keys.
"""

import asyncio
import signal

from textual.driver import Driver


def retake_when_continued(driver: Driver | None) -> None:
    """To be called in the loop of an app that runs on `driver`."""
    if driver is not None and hasattr(driver, "_must_signal_resume"):  # else it is no terminal's
        loop = asyncio.get_running_loop()
        signal.signal(signal.SIGCONT, lambda number, frame: loop.call_soon_threadsafe(_retake, driver))


def _retake(driver: Driver) -> None:
    if not getattr(driver, "_must_signal_resume", False):
        driver.suspend_application_mode()
    driver.resume_application_mode()
