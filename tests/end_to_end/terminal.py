"""The real program in a pseudo-terminal, its screen read through a terminal emulator."""

import json
import os
import select
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte

from tests.waiting import TIMEOUT, until

WHOLE_FRAME_SECONDS = 5.0
"""Seconds after which a screen that is still being drawn is read."""

SMALL_MODEL = (
    *("--layers", "1", "--width", "16", "--heads", "2", "--context", "16", "--batch-size", "4"),
    *("--threads", "1", "--precision", "fp32", "--compile", "off", "--seed", "1", "--sample-tokens", "50"),
)


class AlternateScreen(pyte.Screen):
    """A pyte screen that is cleared when a program enters the alternate screen, which pyte does not have."""

    def set_mode(self, *modes: int, **keywords: bool) -> None:
        super().set_mode(*modes, **keywords)
        if keywords.get("private") and 1049 in modes:
            self.erase_in_display(2)


class Terminal:
    """A program on a screen of its own. `raw` is every byte it wrote."""

    def __init__(self, command: Sequence[str], directory: Path, columns: int = 120, rows: int = 40) -> None:
        self.screen = AlternateScreen(columns, rows)
        self.raw = b""
        self._ended = False
        """Whether every process has closed the terminal, and all output has been read."""
        self._stream = pyte.ByteStream(self.screen)
        # Variables left by other tests of this process would override the size of the terminal.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment = inherited | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
        # The program starts only when the terminal has its size, which pexpect sets after the fork.
        waiting = ["-c", 'stty -echo; read go; stty echo; exec "$@"', "sh", *command]
        self.process = pexpect.spawn(
            "sh", waiting, cwd=directory, env=environment, dimensions=(rows, columns), timeout=TIMEOUT
        )
        self.process.send("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    @property
    def unwrapped(self) -> str:
        """The text without white space: wherever it was wrapped, as paths are that are long on some machines."""
        return "".join(self.text.split())

    def press(self, keys: str) -> None:
        self.process.send(keys)

    def close(self) -> None:
        """Close the terminal, as when a window is closed or a connection drops."""
        os.close(self.process.child_fd)
        self.process.closed = True

    def wait_for(self, *texts: str) -> None:
        """Wait until every one of the texts is on the screen."""
        self.wait_until(lambda: all(text in self.text for text in texts), f"{texts} on the screen")

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not (true() and self._whole_frame() and true()):
            assert time.monotonic() < deadline, f"no {what} in:\n{self.text}"
            self._read()

    def _whole_frame(self) -> bool:
        """Read until a frame is complete, as half a frame may show what the whole one does not."""
        deadline = time.monotonic() + WHOLE_FRAME_SECONDS
        while self._read() and time.monotonic() < deadline:
            pass
        return True

    def wait_for_end(self) -> int:
        """Read until every process has closed the terminal; returns the exit status."""
        deadline = time.monotonic() + TIMEOUT
        while not self._ended:
            assert time.monotonic() < deadline, f"no end of the program in:\n{self.text}"
            self._read()
        until(lambda: not self.process.isalive(), "the end of the program")
        self.process.close()
        return int(self.process.exitstatus if self.process.exitstatus is not None else -self.process.signalstatus)

    def _read(self) -> bool:
        """Read what has been written; returns whether there was anything."""
        if self._ended or not select.select([self.process.child_fd], [], [], 0.05)[0]:
            return False
        try:
            data = os.read(self.process.child_fd, 65536)
        except OSError:
            data = b""
        if not data:
            self._ended = True
            return False
        self.raw += data
        # pyte does not know the private forms of two sequences, and takes their ends for text.
        self._stream.feed(data.replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        return True


class Shell(Terminal):
    """An interactive shell."""

    PROMPT = "what now? "

    def __init__(self, directory: Path) -> None:
        super().__init__(["env", f"PS1={self.PROMPT}", "bash", "--norc", "--noprofile", "-i"], directory)
        self.wait_for_prompt()

    def run(self, *command: str) -> None:
        self.press(shlex.join(command) + "\r")

    def wait_for_prompt(self) -> None:
        self.wait_until(lambda: self.line.startswith(self.PROMPT.strip()), "prompt")

    @property
    def line(self) -> str:
        """The line with the cursor."""
        return str(self.screen.display[self.screen.cursor.y])


def trainer(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "tui_trainer", *map(str, arguments)]


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    """The run's events of a kind so far."""
    path = run / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    found = [json.loads(line) for line in lines if f'"{kind}"' in line]  # most are others, and polled often
    return [event for event in found if event["event"] == kind]
