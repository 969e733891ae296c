"""The real program, training on a pseudo-terminal or without a screen, and what its journal tells of its speed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyte

from benchmarks.faults.screen import Screen

ROOT: Final = Path(__file__).parent.parent.parent
COLUMNS, ROWS = 160, 48

NANO: Final = ("--preset", "nano", "--precision", "fp32", "--compile", "off", "--threads", "2", "--seed", "1")
SMALL: Final = (
    *("--layers", "1", "--heads", "1", "--width", "16", "--context", "8", "--batch-size", "1", "--tokenizer", "char"),
    *("--precision", "fp32", "--compile", "off", "--threads", "1", "--seed", "1"),
)
"""A model whose steps take a millisecond, nearly all of it in Python."""

ENDLESS: Final = 10_000_000
TIMEOUT: Final = 300.0


class Program:
    """A run of the fables in a directory of its own, by the package in `root`; ended when it is left."""

    def __init__(self, root: Path, options: Sequence[str], screen: bool) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="screen-"))
        corpus = ROOT / "sample_data" / "fables.txt"
        asked = ("--steps", str(ENDLESS), "--runs-dir", str(self.directory), "--name", "run", *options)
        command = [sys.executable, "-m", "tui_trainer", str(corpus), *asked]
        environment = {
            **os.environ,
            "PYTHONPATH": str(root),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_STATE_HOME": str(self.directory),
            "XDG_CONFIG_HOME": str(self.directory),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a package that is installed has its bytecode
        self.screen: Screen | None = None
        if screen:
            self.screen = Screen(command, self.directory, environment, rows=ROWS, columns=COLUMNS)
            self.process = self.screen.process
        else:
            self.process = subprocess.Popen(
                [*command, "--headless"],
                cwd=self.directory,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._terminal = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._terminal)
        self._fed, self._lines = 0, list[str]()

    @property
    def steps(self) -> int:
        """That the journal has."""
        return sum(1 for _ in self._step_times())

    def rate(self, skip: int) -> float:
        """Steps a second, without the first ones."""
        times = list(self._step_times())[skip:]
        return (len(times) - 1) / (times[-1] - times[0])

    def _step_times(self) -> Iterator[float]:
        journal = self.directory / "run" / "journal.jsonl"
        if journal.is_file():
            for line in journal.read_text().splitlines():
                with_step = line.startswith('{"event": "step"') and line.endswith("}")
                if with_step:
                    yield float(json.loads(line)["time"])

    def wait_for_steps(self, steps: int) -> None:
        begin = time.monotonic()
        while self.steps < steps:
            if self.process.poll() is not None or time.monotonic() - begin > TIMEOUT:
                raise SystemExit(f"The program took {self.steps} steps and not {steps}.")
            time.sleep(0.2)

    def lines(self) -> list[str]:
        """What the terminal shows."""
        assert self.screen is not None
        raw = self.screen.raw
        if len(raw) > self._fed:
            self._stream.feed(raw[self._fed :])
            self._fed, self._lines = len(raw), list(self._terminal.display)
        return self._lines

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT)
        if self.screen is not None:
            self.screen.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@contextmanager
def running(root: Path, options: Sequence[str], screen: bool = True) -> Iterator[Program]:
    program = Program(root, options, screen)
    try:
        yield program
    finally:
        program.close()
