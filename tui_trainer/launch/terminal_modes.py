"""The terminal's modes: saved at the start, and restored when the app could not do so."""

import os
import signal
from contextlib import suppress
from typing import Any, Final

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]

LEAVE_SCREEN: Final = (
    b"\x1b[?2026l"  # no synchronised update is under way
    b"\x1b[?2004l"  # no bracketed paste
    b"\x1b[?7h"  # lines wrap
    b"\x1b[?2048l"  # no reports of a new size
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # no mouse
    b"\x1b[<u"  # no Kitty keyboard protocol; it belongs to the alternate screen, and so goes before that
    b"\x1b[?1049l"  # the normal screen
    b"\x1b[?25h"  # a cursor
    b"\x1b[?1004l"  # no reports of focus
    b"\x1b[0m"
)
"""Undoes what Textual's driver for Unix turns on."""


class TerminalModes:
    """Saves the modes that the terminal has when this is made; without a terminal it does nothing."""

    def __init__(self) -> None:
        self._modes: list[Any] | None = None
        with suppress(Exception):  # `termios.error` is no OSError; and standard input may be closed
            self._modes = termios.tcgetattr(0)

    @property
    def left_changed(self) -> bool:
        """Whether this job is in the foreground and the modes have changed: a screen was not left."""
        with suppress(Exception):  # as above, and there may be no terminal any more
            return os.tcgetpgrp(0) == os.getpgrp() and self._modes not in (None, termios.tcgetattr(0))
        return False

    def leave_screen(self) -> None:
        """Leave the alternate screen and restore the saved modes."""
        if self._modes is None:
            return
        # In the background, SIGTTOU would stop this process when it changes the modes.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with suppress(Exception):
            termios.tcsetattr(0, termios.TCSAFLUSH, self._modes)
        with suppress(OSError):
            os.write(2, LEAVE_SCREEN)
        signal.signal(signal.SIGTTOU, before)
