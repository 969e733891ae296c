"""Detaching from the terminal: the shell's prompt comes back while the same process continues to train.

With a screen the program forks as it starts. The shell waits for the parent, the proxy process. The child trains; when
it detaches from the terminal the parent exits, and the shell's job ends. If the parent ends in any other way it was
killed, and the child gets PROXY_KILLED.
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
"""Sent to the child when its parent was killed."""


class Terminal:
    """The terminal this process was started in: its modes, its standard streams, and the proxy process."""

    def __init__(self) -> None:
        self._descriptors = [number for number in (0, 1, 2) if os.isatty(number)]
        self._modes = TerminalModes()
        self._parent = 0
        self._early_output: BinaryIO | None = None
        """Holds the output between `detach` and `redirect_to_log`."""

    def fork(self, describe_kill: Callable[[int, int], str]) -> None:
        """Fork: returns in the child, which can detach; the parent becomes the proxy process and never returns.

        `describe_kill` is called as in `run_proxy`.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        reading, writing = os.pipe()
        parent, child = os.getpid(), os.fork()
        if child:
            run_proxy(child, self._modes, describe_kill)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writing)
        self._parent = parent
        threading.Thread(target=self._watch_parent, args=(reading,), name="parent", daemon=True).start()

    def _watch_parent(self, pipe: int) -> None:
        """In a thread: wait for the end of the pipe, whose other end only the parent holds open."""
        os.read(pipe, 1)
        if self._parent:
            os.kill(os.getpid(), PROXY_KILLED)

    @property
    def proxy_killed(self) -> bool:
        """Whether the parent was killed."""
        return self._parent != 0 and os.getppid() != self._parent

    def detach(self, open_log: Callable[[], BinaryIO]) -> None:
        """Detach for good, and end the proxy process; output to the terminal goes to the log from now on.

        If `open_log` raises FileNotFoundError, as there is no log yet, the output is kept for `redirect_to_log`; with
        any other OSError it is dropped.
        """
        with suppress(OSError, RuntimeError):  # it is gone; or a signal handler interrupted a write
            sys.stdout.flush()
        if self._descriptors:
            self._redirect(open_log)
        with suppress(OSError):
            os.setsid()
        parent, self._parent = self._parent, 0
        if parent and os.getppid() == parent:
            os.kill(parent, DETACHED)

    def redirect_to_log(self, open_log: Callable[[], BinaryIO]) -> None:
        """Write the output since `detach` to the log, if it was kept, and all later output too."""
        if self._early_output is None:
            return
        early, self._early_output = self._early_output, None
        with early, suppress(OSError), open_log() as log:
            self._write_to(log)
            early.seek(0)
            log.write(early.read())

    def leave_screen(self) -> None:
        """Restore the shell's modes, in a process that ends without exiting the app."""
        self._modes.leave_screen()

    def _redirect(self, open_log: Callable[[], BinaryIO]) -> None:
        with Path(os.devnull).open("r+b", buffering=0) as null:
            if 0 in self._descriptors:
                os.dup2(null.fileno(), 0)
            self._write_to(null)
        with suppress(OSError):  # a full disk: the events are in the journal too
            try:
                with open_log() as log:
                    self._write_to(log)
            except FileNotFoundError:
                self._early_output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                self._write_to(self._early_output)

    def _write_to(self, file: BinaryIO) -> None:
        for number in self._descriptors:
            if number:
                os.dup2(file.fileno(), number)
