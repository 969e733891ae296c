"""Kills a run again and again, resumes it each time, and compares it with one that was left alone.

`python -m benchmarks.torture --kills 200` takes about a quarter of an hour. Every other kill waits for a checkpoint
that is just being written, most others come at any moment, some of them while the run is being resumed; the last ones
come when no step is left to take, before the run has come to its end.

With `--planted` some losses are made infinite or large, in both runs at the same steps, so that each is rolled back
three times; as a run comes near one of those steps it is killed around it several times.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import planted
from tui_trainer.run import journal
from tui_trainer.run.events import Alert, CheckpointSaved, Event, RunStarted, StateChanged, Step
from tui_trainer.run.folder import Folder

OPTIONS = (
    *("--layers", "1", "--width", "32", "--heads", "2", "--context", "16", "--batch-size", "4", "--threads", "1"),
    *("--compile", "off", "--dropout", "0.1", "--token-masking", "0.1", "--patience", "0", "--sample-tokens", "240"),
)
WORDS = ("a", "the", "fox", "owl", "sees", "finds", "old", "red", "moon", "river", "and", "then", "sleeps", "under")

COMPARED = {
    "step": ("step", "loss", "lr", "grad_norm", "weight_norm", "tokens"),
    "eval": ("step", "train_loss", "val_loss", "best"),
    "sample": ("step", "text", "seed"),
    "alert": ("step", "message"),
}
"""What of an event no interruption may change."""

KINDS = ("in a save", "while training", "in a save", "while training", "in a save", "at the start")

NEAR = 20
"""Steps around a rollback in which a kill is near it."""

AHEAD = 200
"""Steps before a rollback from which on a kill waits for it: the run is to be killed all along the way there too."""

NEAR_EACH = 12
"""Kills near every rollback."""

AT_THE_END = 0.1
"""Part of the kills that come when all steps are taken."""

MAX_DELAY = {"in a save": 0.02, "while training": 1.5, "near a rollback": 0.04, "at the start": 4.0, "at the end": 0.25}
"""Seconds within which a kill of each kind comes, at random, once its moment has."""

SOON = 3
"""Power of the random number for kills at the end, which is short: half of them come in an eighth of the time."""

MOMENT_SECONDS = 30.0
"""How long is waited for that moment; a process that ends by itself within it is not killed."""

WAIT_SECONDS = 600.0
"""How long a run may take that is left alone."""

FILES = ("model.safetensors", "optimizer.safetensors")

SHOWN = 3
"""Differences that are told; the first is the one to look into."""


@dataclass(frozen=True)
class Verdict:
    kills: int
    in_saves: int
    """Kills that left a half-written checkpoint behind."""
    at_the_end: int
    """Kills between the last step and the end, told as `finished`."""
    after_the_end: int
    """Kills after that, before the process had ended."""
    near_rollbacks: int
    """Kills in the steps before and after one."""
    rollbacks: int
    """Of the run that was left alone."""
    steps_taken: int
    """With those that were taken again."""
    lost: list[str]
    """Checkpoints that had been announced, and were gone after a kill."""
    differences: list[str]
    """Where the run is not what it would have been."""


class Torture:
    def __init__(
        self, place: Path, steps: int, seed: int = 1, precision: str = "fp32", with_accidents: bool = False
    ) -> None:
        self._place, self._steps = place, steps
        self._chooser = random.Random(seed)
        self._corpus = place / "woods.txt"
        self._corpus.write_text(" ".join(random.Random(7).choices(WORDS, k=8000)) + ".\n", encoding="utf-8")
        self._in_saves = self._size_before = 0
        # No regular sample is due at the last step: so the end has one to write each time it is resumed.
        often = {"--checkpoint-every": steps // 200, "--eval-every": steps // 100, "--sample-every": steps // 50 + 1}
        cadence = [str(part) for name, every in often.items() for part in (name, max(7, every))]
        self._options = ["--steps", str(steps), "--precision", precision, *OPTIONS, *cadence]
        self._program = ["benchmarks.planted", str(steps)] if with_accidents else ["tui_trainer"]
        self._rolled_back = planted.rolled_back(steps) if with_accidents else ()
        self._killed_near = dict.fromkeys(self._rolled_back, 0)
        """Kills near each rollback."""
        self._lost: list[str] = []
        self._missed = 0
        """How often in a row a process had ended before it was to be killed: the next one is killed sooner."""
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
        steps = sum(event["event"] == "step" for event in _lines(self._run))
        differences = list(_differences(left_alone, self._run))
        return Verdict(
            kills=len(phases),
            in_saves=self._in_saves,
            at_the_end=phases.count("at the end"),
            after_the_end=phases.count("after the end"),
            near_rollbacks=sum(self._killed_near.values()),
            rollbacks=len({each.step for each in _events(left_alone) if _is_rollback(each)}),
            steps_taken=steps,
            lost=self._lost,
            differences=differences,
        )

    def _kill_often(self, kills: int) -> list[str]:
        """Where the run was at each of the kills; at last it is left to come to its end."""
        phases: list[str] = []
        last_ones = max(1, round(AT_THE_END * kills))
        for attempt in range(3 * kills):
            ending = len(phases) >= kills - last_ones or self._phase(0) != "amid its steps"
            kind = "at the end" if ending else KINDS[attempt % len(KINDS)]
            if not ending and self._rollback_is_due():
                kind = "near a rollback"
            if self._kill(kind):
                phases.append(self._phase(self._size_before))
                self._check_announced()
                reached = max((event.step for event in _events(self._run)), default=0)
                if (rollback := self._near(reached)) is not None:
                    self._killed_near[rollback] += 1
                print(f"\rkill {len(phases)} of {kills}, step {reached}", end="", file=sys.stderr, flush=True)
            self._start("resume", str(self._run), *["--steps", str(self._steps)] * (attempt % 2))
            if len(phases) == kills:
                break
        self._end(self._process)
        return phases

    def _start(self, command: str, *asked: str) -> subprocess.Popen[bytes]:
        place = ["--headless", "--runs-dir", str(self._place)]
        arguments = [sys.executable, "-m", *self._program, command, *asked, *place]
        self._size_before = _size(self._run)
        self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return self._process

    def _kill(self, kind: str) -> bool:
        """Whether the process was killed, and did not end by itself."""
        run, before, process = self._run, _being_written(self._run), self._process
        # Before there is anything to keep, every kill costs the run: that proves nothing.
        _wait(process, lambda: (run / "checkpoints" / "latest").exists(), WAIT_SECONDS)
        if kind == "in a save":
            _wait(process, lambda: bool(_being_written(run) - before), pause=0.0002)
        elif kind == "while training":
            _wait(process, lambda: _size(run) > self._size_before)
        elif kind == "near a rollback":
            _wait(process, lambda: self._near(self._reached(self._size_before)) is not None)
        elif kind == "at the end":
            _wait(process, lambda: self._phase(self._size_before) != "amid its steps", WAIT_SECONDS, pause=0.002)
        delay = self._chooser.random() ** (SOON if kind == "at the end" else 1)
        _wait(process, lambda: False, MAX_DELAY[kind] * delay / 4**self._missed)
        if process.poll() is not None:
            self._end(process)
            self._missed += 1
            return False
        process.kill()
        process.communicate(timeout=WAIT_SECONDS)
        self._missed = 0
        self._in_saves += bool(_being_written(run) - before)
        return True

    def _near(self, step: int) -> int | None:
        """The step of the rollback that is near."""
        return next((rollback for rollback in self._rolled_back if abs(step - rollback) <= NEAR), None)

    def _rollback_is_due(self) -> bool:
        """Whether the run comes near one that it has not been killed around often enough."""
        reached = self._reached(0)
        return any(
            -NEAR <= rollback - reached <= AHEAD and killed < NEAR_EACH
            for rollback, killed in self._killed_near.items()
        )

    def _reached(self, since: int) -> int:
        """The last step that the journal tells of after byte `since`; 0 where there is none."""
        return max((event.step for event in _events_after(self._run, since)), default=0)

    def _phase(self, since: int) -> str:
        """Where the run is by what its journal has after byte `since`."""
        told = _events_after(self._run, since)
        begun = max((number for number, event in enumerate(told) if isinstance(event, RunStarted)), default=0)
        told = told[begun:]
        if any(isinstance(event, StateChanged) and event.state == "finished" for event in told):
            return "after the end"
        at_last_step = any(isinstance(event, RunStarted | Step) and event.step == self._steps for event in told)
        return "at the end" if at_last_step else "amid its steps"

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        try:
            _, error = process.communicate(timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"a run did not end within {WAIT_SECONDS:.0f} s") from None
        if process.returncode:
            raise RuntimeError(f"status {process.returncode}: {error.decode(errors='replace')}")

    def _check_announced(self) -> None:
        """The newest checkpoint that the journal tells of is there, whole."""
        announced = [event.step for event in _events(self._run) if isinstance(event, CheckpointSaved)]
        if announced and not (self._run / "checkpoints" / f"step-{announced[-1]:08}" / "trainer.json").exists():
            self._lost.append(f"step {announced[-1]}")


def _wait(
    process: subprocess.Popen[bytes], true: Callable[[], bool], seconds: float = MOMENT_SECONDS, pause: float = 0.001
) -> None:
    """Until it is true, the process has ended, or so much time has passed."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and not true() and time.monotonic() < deadline:
        time.sleep(pause)


def _is_rollback(event: Event) -> bool:
    return isinstance(event, Alert) and event.kind == "divergence" and "rollback" in event.message


def _is_compared(event: Event, kind: str) -> bool:
    """Of the alerts only those of what became of a loss: the others tell of the kills."""
    return event.event == kind and (not isinstance(event, Alert) or event.kind == "divergence")


def _journal(run: Path) -> Path:
    return run / "journal.jsonl"


def _size(run: Path) -> int:
    path = _journal(run)
    return path.stat().st_size if path.exists() else 0


def _being_written(run: Path) -> set[tuple[str, float]]:
    """Checkpoints that are not whole, by name and time: those that are being written, or were when it was killed."""
    found = set()
    for path in (run / "checkpoints").glob(".*.partial"):
        with suppress(OSError):  # it is whole by now
            found.add((path.name, path.stat().st_ctime))
    return found


def _events_after(run: Path, since: int) -> list[Event]:
    """Those near the journal's end that were told after its first `since` bytes."""
    new = _size(run) - since
    if new <= 0:
        return []
    with Folder.open(run) as folder:
        return journal.tail(folder, min(new, 262_144))


def _events(run: Path) -> list[Event]:
    if not _journal(run).exists():
        return []
    with Folder.open(run) as folder:
        return list(journal.without_superseded(folder))


def _lines(run: Path) -> Iterator[dict[str, Any]]:
    for line in _journal(run).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _differences(one: Path, other: Path) -> Iterator[str]:
    """Where two runs differ: in what was measured, and in the last checkpoint's files."""
    for kind, names in COMPARED.items():
        told = [
            [tuple(getattr(e, n) for n in names) for e in _events(run) if _is_compared(e, kind)] for run in (one, other)
        ]
        # What was told right before a kill, at the step of the newest checkpoint, is told again; it is the same.
        ours, theirs = (list(dict.fromkeys(each)) for each in told)
        yield from (f"{kind}: {a} was {b}" for a, b in zip(ours, theirs, strict=False) if a != b)
        if len(ours) != len(theirs):
            yield f"{kind}: {len(ours)} were {len(theirs)}"
    newest = [run / "checkpoints" / (run / "checkpoints" / "latest").read_text().strip() for run in (one, other)]
    yield from (name for name in FILES if len({(path / name).read_bytes() for path in newest}) > 1)


def _some(differences: list[str]) -> str:
    """The first of them, and how many there are."""
    more = len(differences) - SHOWN
    return "; ".join(differences[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "") or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--steps", type=int, default=0, help="Of the run; about 60 a kill when left out.")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", action="store_true", help="Make losses infinite or large at some steps.")
    asked = parser.parse_args()
    steps = asked.steps or 60 * asked.kills
    with tempfile.TemporaryDirectory() as place:
        verdict = Torture(Path(place), steps, asked.seed, asked.precision, asked.planted).run(asked.kills)
    print(
        f"\n{asked.precision}: {verdict.kills} kills, {verdict.in_saves} of them in the middle of a save, "
        f"{verdict.at_the_end} between the last step and the end, {verdict.after_the_end} after that and before the "
        f"process had ended; {verdict.steps_taken:,} steps taken for {steps:,}.\n"
        f"Rollbacks: {verdict.rollbacks}, with {verdict.near_rollbacks} kills within {NEAR} steps of them.\n"
        f"Checkpoints lost: {verdict.lost or 'none'}.\n"
        f"Differences from the run left alone: {_some(verdict.differences)}."
    )
    sys.exit(bool(verdict.lost or verdict.differences))


if __name__ == "__main__":
    main()
