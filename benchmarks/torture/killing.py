"""Kills a run at random moments, resumes it each time, and compares it with one that was not killed."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import planted
from benchmarks.torture.runs import (
    differences,
    events,
    events_after,
    is_rollback,
    journal_size,
    lines,
    unfinished_checkpoints,
)
from tui_trainer.run.events import CheckpointSaved, RunStarted, StateChanged, Step

OPTIONS = (
    *("--layers", "1", "--width", "32", "--heads", "2", "--context", "16", "--batch-size", "4", "--threads", "1"),
    *("--compile", "off", "--dropout", "0.1", "--token-masking", "0.1", "--patience", "0", "--sample-tokens", "240"),
)
WORDS = ("a", "the", "fox", "owl", "sees", "finds", "old", "red", "moon", "river", "and", "then", "sleeps", "under")

KINDS = ("in a save", "while training", "in a save", "while training", "in a save", "at the start")

NEAR = 20
"""Steps around a rollback in which a kill is near it."""

AHEAD = 200
"""Steps before a rollback within which a kill waits for it; further away the run is killed at any moment."""

NEAR_EACH = 12
"""Kills near every rollback, at most."""

AT_THE_END = 0.1
"""Share of the kills that come when all steps are taken."""

MAX_DELAY = {"in a save": 0.02, "while training": 1.5, "near a rollback": 0.04, "at the start": 4.0, "at the end": 0.25}
"""Largest random delay in seconds of a kill of each kind, from the moment that it waits for."""

SOON = 3
"""Exponent of the random delay at the end, which is short: half of those kills come in an eighth of MAX_DELAY."""

MOMENT_SECONDS = 30.0
"""Longest wait for that moment; a process that ends within it is not killed."""

WAIT_SECONDS = 600.0
"""Longest time of a run that is not killed."""


@dataclass(frozen=True)
class Verdict:
    kills: int
    in_saves: int
    """Kills that left a half-written checkpoint behind."""
    at_the_end: int
    """Kills between the last step and the journalled state `finished`."""
    after_the_end: int
    """Kills after that, before the end of the process."""
    near_rollbacks: int
    """Kills within NEAR steps of a rollback."""
    rollbacks: int
    """Rollbacks of the run that was not killed."""
    steps_taken: int
    """Including those that were repeated."""
    lost: list[str]
    """Checkpoints that were journalled, and missing after a kill."""
    differences: list[str]
    """Where the killed run differs from the other."""


class Torture:
    def __init__(
        self, place: Path, steps: int, seed: int = 1, precision: str = "fp32", planted_losses: bool = False
    ) -> None:
        self._place, self._steps = place, steps
        self._chooser = random.Random(seed)
        self._corpus = place / "woods.txt"
        self._corpus.write_text(" ".join(random.Random(7).choices(WORDS, k=8000)) + ".\n", encoding="utf-8")
        self._in_saves = self._size_before = 0
        # No sample is due at the last step, so that one is generated at the end each time the run is resumed.
        saving, evaluating, sampling = max(7, steps // 200), max(7, steps // 100), max(21, steps // 50 + 1)
        often = {"--checkpoint-every": saving, "--eval-every": evaluating, "--sample-every": sampling}
        cadence = [str(part) for option in often.items() for part in option]
        self._options = ["--steps", str(steps), "--precision", precision, *OPTIONS, *cadence]
        self._program = ["benchmarks.planted", str(steps)] if planted_losses else ["tui_trainer"]
        self._rolled_back = planted.rolled_back(steps) if planted_losses else ()
        self._killed_near = dict.fromkeys(self._rolled_back, 0)
        """Kills near each rollback."""
        self._lost: list[str] = []
        self._ended_early = 0
        """Processes in a row that had ended before they were killed: the next one is killed sooner."""
        self._run = place / "killed"

    def run(self, kills: int) -> Verdict:
        """Raises RuntimeError when a run cannot be resumed, or does not end."""
        left_alone = self._place / "left-alone"
        try:
            self._end(self._start("train", str(self._corpus), "--name", left_alone.name, *self._options))
            self._start("train", str(self._corpus), "--name", self._run.name, *self._options)
            phases = self._kill_often(kills)
        finally:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)
        steps = sum(event["event"] == "step" for event in lines(self._run))
        found = list(differences(left_alone, self._run))
        return Verdict(
            kills=len(phases),
            in_saves=self._in_saves,
            at_the_end=phases.count("at the end"),
            after_the_end=phases.count("after the end"),
            near_rollbacks=sum(self._killed_near.values()),
            rollbacks=len({each.step for each in events(left_alone) if is_rollback(each)}),
            steps_taken=steps,
            lost=self._lost,
            differences=found,
        )

    def _kill_often(self, kills: int) -> list[str]:
        """Kill the run so often, then let it end; returns its phase at each kill."""
        phases: list[str] = []
        last_ones = max(1, round(AT_THE_END * kills))
        for attempt in range(3 * kills):
            ending = len(phases) >= kills - last_ones or self._phase(0) != "amid its steps"
            kind = "at the end" if ending else KINDS[attempt % len(KINDS)]
            if not ending and self._rollback_is_due():
                kind = "near a rollback"
            if self._kill(kind):
                phases.append(self._phase(self._size_before))
                self._check_journalled()
                reached = max((event.step for event in events(self._run)), default=0)
                if (rollback := self._near(reached)) is not None:
                    self._killed_near[rollback] += 1
                print(f"\rkill {len(phases)} of {kills}, step {reached}", end="", file=sys.stderr, flush=True)
            self._start("resume", str(self._run), *["--steps", str(self._steps)] * (attempt % 2))
            if len(phases) == kills:
                break
        self._end(self._process)
        return phases

    def _start(self, command: str, *options: str) -> subprocess.Popen[bytes]:
        place = ["--headless", "--runs-dir", str(self._place)]
        arguments = [sys.executable, "-m", *self._program, command, *options, *place]
        self._size_before = journal_size(self._run)
        self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return self._process

    def _kill(self, kind: str) -> bool:
        """Kill the process at a moment of this kind; false if it has ended by itself before."""
        run, before, process = self._run, unfinished_checkpoints(self._run), self._process
        # A run that is killed before its first checkpoint cannot be resumed.
        _wait(process, lambda: (run / "checkpoints" / "latest").exists(), WAIT_SECONDS)
        if kind == "in a save":
            _wait(process, lambda: bool(unfinished_checkpoints(run) - before), pause=0.0002)
        elif kind == "while training":
            _wait(process, lambda: journal_size(run) > self._size_before)
        elif kind == "near a rollback":
            _wait(process, lambda: self._near(self._reached(self._size_before)) is not None)
        elif kind == "at the end":
            _wait(process, lambda: self._phase(self._size_before) != "amid its steps", WAIT_SECONDS, pause=0.002)
        delay = self._chooser.random() ** (SOON if kind == "at the end" else 1)
        _wait(process, lambda: False, MAX_DELAY[kind] * delay / 4**self._ended_early)
        if process.poll() is not None:
            self._end(process)
            self._ended_early += 1
            return False
        process.kill()
        process.communicate(timeout=WAIT_SECONDS)
        self._ended_early = 0
        self._in_saves += bool(unfinished_checkpoints(run) - before)
        return True

    def _near(self, step: int) -> int | None:
        """The step of the rollback within NEAR steps; None if there is none."""
        return next((rollback for rollback in self._rolled_back if abs(step - rollback) <= NEAR), None)

    def _rollback_is_due(self) -> bool:
        """Whether a rollback is at most AHEAD steps away that has had fewer than NEAR_EACH kills."""
        reached = self._reached(0)
        return any(
            -NEAR <= rollback - reached <= AHEAD and killed < NEAR_EACH
            for rollback, killed in self._killed_near.items()
        )

    def _reached(self, since: int) -> int:
        """The last step in the journal after byte `since`; 0 if there is none."""
        return max((event.step for event in events_after(self._run, since)), default=0)

    def _phase(self, since: int) -> str:
        """The phase of the run, from its journal after byte `since`."""
        recent = events_after(self._run, since)
        started = max((number for number, event in enumerate(recent) if isinstance(event, RunStarted)), default=0)
        recent = recent[started:]
        if any(isinstance(event, StateChanged) and event.state == "finished" for event in recent):
            return "after the end"
        at_last_step = any(isinstance(event, RunStarted | Step) and event.step == self._steps for event in recent)
        return "at the end" if at_last_step else "amid its steps"

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        try:
            _, error = process.communicate(timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"a run did not end within {WAIT_SECONDS:.0f} s") from None
        if process.returncode:
            raise RuntimeError(f"status {process.returncode}: {error.decode(errors='replace')}")

    def _check_journalled(self) -> None:
        """Record in `_lost` the newest journalled checkpoint if it is not complete on the disk."""
        journalled = [event.step for event in events(self._run) if isinstance(event, CheckpointSaved)]
        if journalled and not (self._run / "checkpoints" / f"step-{journalled[-1]:08}" / "trainer.json").exists():
            self._lost.append(f"step {journalled[-1]}")


def _wait(
    process: subprocess.Popen[bytes], true: Callable[[], bool], seconds: float = MOMENT_SECONDS, pause: float = 0.001
) -> None:
    """Wait until it is true, the process has ended, or the time is over."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and not true() and time.monotonic() < deadline:
        time.sleep(pause)
