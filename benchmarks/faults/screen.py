"""A program on a pseudo-terminal, all of whose output is kept."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

ROWS, COLUMNS = 40, 120

LEFT_ALTERNATE_SCREEN: Final = b"\x1b[?1049l"

SEQUENCE: Final = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|.)")
"""An escape sequence."""


class Screen:
    def __init__(
        self,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        rows: int = ROWS,
        columns: int = COLUMNS,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.raw = b""
        self._open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def last_words(self) -> str:
        """The text written after the program has left the alternate screen; empty if it has not."""
        _, left, words = self.raw.rpartition(LEFT_ALTERNATE_SCREEN)
        return " ".join(SEQUENCE.sub("", words.decode(errors="replace")).split()) if left else ""

    @property
    def usable(self) -> bool:
        """Whether the terminal echoes and is in canonical mode, as a shell expects."""
        modes = termios.tcgetattr(self._master)[3]
        return bool(modes & termios.ECHO) and bool(modes & termios.ICANON)

    def close(self) -> None:
        """Close the terminal, as when a window is closed or a connection drops."""
        if self._open:
            self._open = False
            self._reader.join()  # a read under way would keep it open
            os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):
            while self._open:
                if select.select([self._master], [], [], 0.05)[0]:
                    self.raw += os.read(self._master, 65536)
