"""Standard streams: keys from the terminal, and output that survives the loss of the terminal."""

import os
import sys
from collections.abc import Callable
from typing import Any

from tui_trainer.config import InputError


class TolerantStream:
    """A stream that drops what cannot be written, and calls `on_lost` the first time."""

    def __init__(self, stream: Any, on_lost: Callable[[], None]) -> None:
        self._stream, self._on_lost = stream, on_lost
        self._lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except OSError:
            if not self._lost:
                self._lost = True
                self._on_lost()


def tolerate_lost_terminal(on_lost: Callable[[], None]) -> None:
    """Drop what is written to standard error after its terminal is gone, and call `on_lost` the first time."""
    # Textual writes there: an error would end its writer thread, and the app could not exit.
    sys.__stderr__ = TolerantStream(sys.__stderr__, on_lost)  # type: ignore[misc, assignment]


def read_keys_from_terminal() -> None:
    """Make the terminal standard input again when a corpus was piped in; raises InputError without a terminal."""
    if not os.isatty(0):
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError as error:
            raise InputError("There is no terminal to read keys from: use --headless.") from error
        os.dup2(terminal, 0)
        os.close(terminal)
