"""The environment of a fault: starts runs and commands, waits with a timeout, and ends all processes."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from benchmarks.faults.catalogue import Failed
from benchmarks.faults.run import Run
from benchmarks.faults.screen import Screen

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = ROOT / "sample_data" / "fables.txt"

SMALL: Final = (
    *("--layers", "1", "--width", "32", "--heads", "2", "--context", "32", "--batch-size", "8", "--threads", "1"),
    *("--precision", "fp32", "--compile", "off", "--lr", "0.001", "--sample-tokens", "40", "--patience", "0"),
)
LONG: Final = ("--steps", "1000000", "--eval-every", "5000", "--sample-every", "5000", "--checkpoint-every", "200")

WAIT_SECONDS: Final = 60.0
"""Timeout of a wait, in seconds."""

SHELL: Final = ("bash", "--norc", "-c", 'set -m; "$@"; read -r go; fg; read -r go', "bash")
"""A shell that runs a job, and continues it in the foreground when it has stopped and a line is typed."""

MARK: Final = "TUI_TRAINER_FAULTS"
"""An environment variable of every process that a fault starts, by which detached ones are found."""


class Lab:
    """A directory for one fault; `ratio` is the training rate during it over that before and after."""

    corpus = CORPUS

    def __init__(self, place: Path) -> None:
        self.place = place
        self.runs = place / "runs"
        self.ratio: float | None = None
        self._mark = uuid.uuid4().hex
        self._screens: list[Screen] = []

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
        places = {"TUI_TRAINER_RUNS": "runs", "TUI_TRAINER_CACHE": "cache", "XDG_STATE_HOME": "state"}
        places = {name: str(self.place / folder) for name, folder in places.items()}
        return kept | places | {MARK: self._mark, "TERM": "xterm-256color"}

    def train(self, *options: str | Path, module: Sequence[str] = ("tui_trainer",), long: bool = True) -> Run:
        """Start a new headless run."""
        return self.start("train", self.corpus, *SMALL, *LONG * long, "--name", "run", *options, module=module)

    def start(self, command: str, *options: str | Path, module: Sequence[str] = ("tui_trainer",)) -> Run:
        """Start a headless trainer of this lab's run."""
        arguments = [*module, command, *options, "--headless"]
        output = (self.place / "output.txt").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        output.close()
        return Run(self.runs / "run", process)

    def on_screen(self, shell: Sequence[str] = ()) -> tuple[Run, Screen]:
        """Start a run on a pseudo-terminal; the Run's process is the proxy process, or a `shell` that starts it."""
        command = ["tui_trainer", "train", self.corpus, *SMALL, *LONG, "--name", "run"]
        screen = Screen([*shell, sys.executable, "-m", *map(str, command)], self.place, self.environment)
        self._screens.append(screen)
        return Run(self.runs / "run", screen.process), screen

    def ask(self, *arguments: str | Path, seconds: float = WAIT_SECONDS) -> tuple[int, str]:
        """Run a command without a terminal until it ends; returns its exit status and its output."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tui_trainer", *map(str, arguments)],
                cwd=self.place,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{arguments[0]} hung for {seconds:.0f} s") from None
        return done.returncode, done.stdout

    @property
    def output(self) -> str:
        """The output of the headless trainers."""
        return (self.place / "output.txt").read_text(encoding="utf-8", errors="replace")

    def compare_rates(self, run: Run, before: float, during: float) -> None:
        """Set `ratio` from the rates before and during a fault, and the one after it, measured now."""
        after = run.rate()
        self.ratio = during / max((before + after) / 2, 1e-9)

    def close(self) -> None:
        """End every process that was started."""
        for screen in self._screens:
            screen.close()
        for _ in range(20):
            found = [process for process in psutil.process_iter() if self._is_ours(process)]
            for process in found:
                with suppress(psutil.Error):
                    process.kill()
            if not psutil.wait_procs(found, timeout=1.0)[1]:
                break

    def remove(self) -> None:
        """Remove the directory, and unmount a disk that was mounted there."""
        if os.path.ismount(self.runs):
            subprocess.run(["umount", "--lazy", str(self.runs)], capture_output=True, timeout=WAIT_SECONDS)
        shutil.rmtree(self.place, ignore_errors=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.pid != os.getpid() and process.environ().get(MARK) == self._mark
        except (psutil.Error, OSError):
            return False


def until(true: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> float:
    """Wait until it is true; returns the seconds it took. Raises Failed after `seconds`."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise Failed(f"{what} did not come within {seconds:g} s")
        time.sleep(0.02)
    return time.monotonic() - began
