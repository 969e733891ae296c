"""A run that a fault is played on: its process, its journal and its checkpoints."""

import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.faults.catalogue import Failed
from tui_trainer.run.folder import Folder
from tui_trainer.run.pointers import latest

START_SECONDS: Final = 90.0
"""Longest time to the first steps of a run, on a busy machine."""

RATE_SECONDS: Final = 3.0
"""Seconds over which a rate is measured."""

QUIT_SECONDS: Final = 2.0
"""Seconds in which a trainer must have saved and ended."""

GRACE_SECONDS: Final = 1.0
"""Seconds added to every limit."""


class Run:
    def __init__(self, path: Path, process: "subprocess.Popen[bytes]") -> None:
        self.path, self.process = path, process
        self._read = 0
        """Bytes of the journal that are in `_events`."""
        self._events: list[dict[str, Any]] = []

    @property
    def trainer(self) -> psutil.Process:
        """The process that trains: the one that was started, or its child if that is the proxy process."""
        started = psutil.Process(self.process.pid)
        return next(iter(started.children()), started)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The readable events of the journal so far."""
        with suppress(OSError), (self.path / "journal.jsonl").open("rb") as journal:
            journal.seek(self._read)
            whole, newline, _ = journal.read().rpartition(b"\n")
            self._read += len(whole + newline)
            self._events += [event for line in whole.split(b"\n") if (event := _parsed(line))]
        return self._events

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]

    @property
    def steps(self) -> list[int]:
        return [event["step"] for event in self.of("step")]

    @property
    def step(self) -> int:
        return max(self.steps, default=0)

    @property
    def saved(self) -> int:
        """The step of the checkpoint that `latest` names; 0 if there is none."""
        with suppress(OSError), Folder.open(self.path) as folder:
            newest = latest(folder)
            return newest.step if newest else 0
        return 0

    def wait_for_steps(self, more: int = 30) -> int:
        """Wait until the journal has so many steps more; returns the last one."""
        goal = self.step + more
        deadline = time.monotonic() + START_SECONDS
        while self.step < goal:
            if time.monotonic() > deadline:
                raise Failed(f"no step came for {START_SECONDS:.0f} s after step {goal - more}")
            if self.process.poll() not in (None, 0):
                raise Failed(f"the trainer ended with status {self.process.returncode}")
            time.sleep(0.05)
        return self.step

    def wait_for_checkpoint(self) -> int:
        """Wait for the first checkpoint; returns its step."""
        deadline = time.monotonic() + START_SECONDS
        while not self.saved:
            if time.monotonic() > deadline or self.process.poll() not in (None, 0):
                raise Failed("no checkpoint was saved")
            time.sleep(0.05)
        return self.saved

    def rate(self, seconds: float = RATE_SECONDS) -> float:
        """Steps per second from now on, by the times in the events."""
        began = time.time()
        time.sleep(seconds)
        return self.rate_between(began, began + seconds)

    def rate_between(self, began: float, ended: float) -> float:
        """Steps per second between two moments in Unix seconds."""
        return len([event for event in self.of("step") if began <= event["time"] < ended]) / (ended - began)

    def ends(self, what: str, seconds: float = START_SECONDS) -> int:
        """Wait for the end of the process; returns its exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{what} had not ended the process after {seconds:.0f} s") from None

    def quits(self, what: str, seconds: float = QUIT_SECONDS) -> tuple[int, float]:
        """Wait for the end of the process; returns its exit status and the seconds. Raises Failed after `seconds`."""
        began = time.monotonic()
        status = self.ends(what)
        passed = time.monotonic() - began
        if passed > patience(seconds):
            raise Failed(f"{what} took {passed:.1f} s to end the process (status {status})")
        return status, passed


def patience(seconds: float) -> float:
    """A time limit for an idle machine, scaled by the load of this one."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, busy) + GRACE_SECONDS


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "event" in event else None
