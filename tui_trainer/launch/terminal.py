"""Leaving the terminal without ending: what lets the shell's prompt come back while the same process trains on.

With a screen the program forks as it starts. The parent, which the shell waits for, stands in for the child. The child
trains; when it lets go of the terminal the parent ends, and with it all that the shell knows of. When the parent ends
in any other way it was killed, and the child gets a signal.
"""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from tui_trainer.launch.proxy_process import DETACHED, WAITED_FOR, run_proxy
from tui_trainer.launch.terminal_modes import TerminalModes

PROXY_KILLED: Final = signal.SIGUSR2
"""What the child gets when its parent was killed."""


class Terminal:
    """What of this process belongs to the terminal it was started in."""

    def __init__(self) -> None:
        self._descriptors = [number for number in (0, 1, 2) if os.isatty(number)]
        self._modes = TerminalModes()
        self._parent = 0
        self._said: BinaryIO | None = None
        """Holds what is said after the terminal was left, until there is a log."""

    def fork(self, describe_kill: Callable[[int, int], str]) -> None:
        """Return in a child that can leave; the parent stands in for it, and never returns.

        `describe_kill` is what the parent says, given the child's id, when a signal of that number has killed it.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        reading, writing = os.pipe()
        parent, child = os.getpid(), os.fork()
        if child:
            run_proxy(child, self._modes, describe_kill)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writing)
        self._parent = parent
        threading.Thread(target=self._watch, args=(reading,), name="parent", daemon=True).start()

    def _watch(self, pipe: int) -> None:
        """Nobody writes into the pipe: it ends when the parent does, which alone holds its other end."""
        os.read(pipe, 1)
        if self._parent:
            os.kill(os.getpid(), PROXY_KILLED)

    @property
    def proxy_killed(self) -> bool:
        """Whether the parent was killed."""
        return self._parent != 0 and os.getppid() != self._parent

    def leave(self, open_log: Callable[[], BinaryIO]) -> None:
        """Let go for good, so that the shell may go on: what went to the terminal goes to the log from now on.

        Where `open_log` raises FileNotFoundError, as there is no log yet, it is kept for `log_in`; with any other
        OSError it goes nowhere.
        """
        with suppress(OSError, RuntimeError):  # it is gone; or a signal came amid a write
            sys.stdout.flush()
        if self._descriptors:
            self._redirect(open_log)
        with suppress(OSError):
            os.setsid()
        parent, self._parent = self._parent, 0
        if parent and os.getppid() == parent:
            os.kill(parent, DETACHED)

    def log_in(self, open_log: Callable[[], BinaryIO]) -> None:
        """There is a log: it begins with what was said since the terminal was left."""
        if self._said is None:
            return
        said, self._said = self._said, None
        with said, suppress(OSError), open_log() as log:
            self._write_to(log)
            said.seek(0)
            log.write(said.read())

    def leave_screen(self) -> None:
        """Bring the shell's modes back: for a process that ends without leaving its screen in good order."""
        self._modes.leave_screen()

    def _redirect(self, open_log: Callable[[], BinaryIO]) -> None:
        with Path(os.devnull).open("r+b", buffering=0) as nowhere:
            if 0 in self._descriptors:
                os.dup2(nowhere.fileno(), 0)
            self._write_to(nowhere)
        with suppress(OSError):  # a full disk: what would be said is in the journal too
            try:
                with open_log() as log:
                    self._write_to(log)
            except FileNotFoundError:
                self._said = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                self._write_to(self._said)

    def _write_to(self, file: BinaryIO) -> None:
        for number in self._descriptors:
            if number:
                os.dup2(file.fileno(), number)
