"""The measurements of one run, in processes of their own, so that start-up and memory are included."""

import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from benchmarks.faults.screen import Screen
from benchmarks.history.journals import SECONDS_A_STEP, step_loss
from tui_trainer.history.detail import read_detail
from tui_trainer.run.commands import Command
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import StateChanged, Step
from tui_trainer.run.journal import Journal
from tui_trainer.run.lock import RunLock
from tui_trainer.sessions.base import Joined, Session
from tui_trainer.sessions.control.server import ControlServer
from tui_trainer.sessions.journal_reader import JournalReader
from tui_trainer.state.run_state import RunState

ROOT: Final = Path(__file__).parent.parent.parent
PROGRAM: Final = (sys.executable, "-m", "tui_trainer")

COLUMNS: Final = 200
"""Columns of the windows: those of a chart as wide as a large terminal."""

DETAIL_STEPS: Final = 20_000

PUBLISHED_STEPS: Final = 70_000
"""Within which the history's buckets are doubled, and halved, several times."""

NUMBERS: Final = {"lr": 1e-3, "grad_norm": 0.5, "weight_norm": 9.0, "step_seconds": 0.01, "tokens_per_second": 1.0}
"""Of every step that is published."""

TIMEOUT: Final = 900.0


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Seconds per call: the least of five rounds of so many calls."""
    rounds = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - begin) / times)
    return min(rounds)


def opened(run: RunDirectory) -> dict[str, float]:
    """Load a run's past: the seconds and megabytes it takes, and the costs of showing it."""
    gc.collect()
    process = psutil.Process()
    before, begin = process.memory_info().rss, time.perf_counter()
    with run.open() as folder:
        reader = JournalReader(folder)
        for _ in reader.read():
            pass
        seconds = time.perf_counter() - begin
        megabytes = (process.memory_info().rss - before) / 1e6
        return {"open seconds": seconds, "open megabytes": megabytes, **_showing_costs(reader.state, run)}


def _showing_costs(state: RunState, run: RunDirectory) -> dict[str, float]:
    last = state.snapshot().step
    first = last // 2
    with run.open() as folder:
        begin = time.perf_counter()
        read_detail(folder, first, min(last, first + DETAIL_STEPS))
        detail = time.perf_counter() - begin
    windows = [(0, last), (last // 3, last // 2), (last - last // 100, last)]
    return {
        "snapshot ms": 1e3 * seconds_of(state.snapshot, 1000),
        "window ms": 1e3
        * max(
            seconds_of(lambda window=window: state.history.window("loss", *window, COLUMNS), 100)  # type: ignore[misc]
            for window in windows
        ),
        "detail seconds": detail,
    }


class IdleSession(Session):
    """Has only the events that are published."""

    def run(self) -> None:
        """Return at once."""

    def send(self, command: Command) -> None:
        """Ignore it."""


def worst_publish_ms(steps: int) -> float:
    """Milliseconds of the thread's CPU time that the slowest event of a run's first steps takes to publish."""
    session, worst = IdleSession(), 0.0
    session.publish(StateChanged(state="running"))
    for step in range(1, min(steps, PUBLISHED_STEPS) + 1):
        event = Step(step=step, loss=step_loss(step), tokens=step, **NUMBERS)
        begin = time.thread_time()
        session.publish(event)
        worst = max(worst, time.thread_time() - begin)
    return 1e3 * worst


def opened_in_process(run: RunDirectory) -> dict[str, float]:
    """`opened` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.history", "--measure", str(run.path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    measured: dict[str, float] = json.loads(result.stdout)
    return measured


def status_seconds(run: RunDirectory) -> float:
    begin = time.perf_counter()
    subprocess.run([*PROGRAM, "status", str(run.path)], cwd=ROOT, capture_output=True, check=True, timeout=TIMEOUT)
    return time.perf_counter() - begin


def screen_seconds(verb: str, run: RunDirectory, steps: int) -> float:
    """Seconds from a command to a screen that shows the run at its last step or later."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    begin = time.perf_counter()
    screen = Screen([*PROGRAM, verb, str(run.path)], run.path, environment)
    try:
        while f"/{steps:,}".encode() not in screen.raw:
            if screen.process.poll() is not None or time.perf_counter() - begin > TIMEOUT:
                raise SystemExit(f"{verb} showed nothing: {screen.raw[-500:]!r}")
            time.sleep(0.005)
        return time.perf_counter() - begin
    finally:
        screen.press("qq")  # for a live run a dialog asks first
        screen.process.wait(TIMEOUT)
        screen.close()


class LiveRun(Session):
    """Continues a run at a hundred steps per second, as its trainer would, and accepts viewers."""

    def __init__(self, run: RunDirectory, step: int) -> None:
        super().__init__()
        self._folder = run.open_to_train()
        self._lock_file = RunLock(self._folder)
        self._journal = Journal(self._folder)
        self._publishing = threading.Lock()
        self._step = step
        self._ended = threading.Event()
        self._control = ControlServer(self._folder, self.join, self.unsubscribe, self.send)
        self.publish(StateChanged(step=step, state="running"))
        self.start()

    def run(self) -> None:
        while not self._ended.wait(SECONDS_A_STEP):
            self._step += 1
            self.publish(Step(step=self._step, loss=step_loss(self._step), tokens=self._step, **NUMBERS))

    def publish(self, event: StateChanged | Step) -> None:  # type: ignore[override]
        with self._publishing:
            super().publish(event)
            self._journal.append(event)

    def join(self) -> Joined:
        with self._publishing:
            return Joined(self._journal.size, [], self.subscribe(), {"state": "running", "step": self._step})

    def send(self, command: Command) -> None:
        """Ignores commands: the viewers only send Attach and Detach."""

    def close(self) -> None:
        self._ended.set()
        self.wait()
        self._control.close()
        self._journal.close()
        self._lock_file.close()
        self._folder.close()
