"""Standard streams: keys from the terminal, and output that outlives it."""

import os
import sys
from collections.abc import Callable
from typing import Any

from tui_trainer.config import InputError


class TolerantStream:
    """A stream that outlives its terminal: what can no longer be written is dropped, and that is told once."""

    def __init__(self, stream: Any, lost: Callable[[], None]) -> None:
        self._stream, self._lost = stream, lost
        self._told = False

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
            if not self._told:
                self._told = True
                self._lost()


def tolerate_lost_terminal(lost: Callable[[], None]) -> None:
    """Let standard error be written to after its terminal is gone; `lost` is called when that happens."""
    # Textual writes there; a write that fails would stop its writer, and with it the way out.
    sys.__stderr__ = TolerantStream(sys.__stderr__, lost)  # type: ignore[misc, assignment]


def read_keys_from_terminal() -> None:
    """When the corpus came through standard input, give the keyboard back to it."""
    if not os.isatty(0):
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError as error:
            raise InputError("There is no terminal to read keys from: use --headless.") from error
        os.dup2(terminal, 0)
        os.close(terminal)
