"""Kills a run again and again, resumes it each time, and compares it with one that was left alone.

`python -m benchmarks.torture --kills 200` takes about a quarter of an hour. Every other kill waits for a checkpoint
that is just being written, most others come at any moment, some of them while the run is being resumed; the last ones
come when no step is left to take, before the run has come to its end.
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

from tui_trainer.run import journal
from tui_trainer.run.events import CheckpointSaved, Event, StateChanged, Step

OPTIONS = (
    *("--layers", "1", "--width", "32", "--heads", "2", "--context", "16", "--batch-size", "4", "--threads", "1"),
    *("--compile", "off", "--dropout", "0.1", "--token-masking", "0.1", "--patience", "0", "--sample-tokens", "40"),
)
WORDS = ("a", "the", "fox", "owl", "sees", "finds", "old", "red", "moon", "river", "and", "then", "sleeps", "under")

COMPARED = {
    "step": ("step", "loss", "lr", "grad_norm", "weight_norm", "tokens"),
    "eval": ("step", "train_loss", "val_loss", "best"),
    "sample": ("step", "text", "seed"),
}
"""What of an event no interruption may change."""

KINDS = ("in a save", "while training", "in a save", "while training", "in a save", "at the start")

AT_THE_END = 0.1
"""Part of the kills that come when all steps are taken."""

PATIENCE = {"in a save": 0.02, "while training": 1.5, "at the start": 4.0, "at the end": 0.5}
"""Seconds within which a kill of each kind comes, at random, once its moment has."""

MOMENT_SECONDS = 30.0
"""How long is waited for that moment; a process that ends by itself within it is not killed."""

WAIT_SECONDS = 600.0
"""How long a run may take that is left alone."""

FILES = ("model.safetensors", "optimizer.safetensors")


@dataclass(frozen=True)
class Verdict:
    kills: int
    in_saves: int
    """Kills that left a half-written checkpoint behind."""
    at_the_end: int
    """Kills when all steps were taken."""
    steps_taken: int
    """With those that were taken again."""
    lost: list[str]
    """Checkpoints that had been announced, and were gone after a kill."""
    differences: list[str]
    """Where the run is not what it would have been."""


class Torture:
    def __init__(self, place: Path, steps: int, seed: int = 1, precision: str = "fp32") -> None:
        self._place, self._steps, self._precision = place, steps, precision
        self._chooser = random.Random(seed)
        self._corpus = place / "woods.txt"
        self._corpus.write_text(" ".join(random.Random(7).choices(WORDS, k=8000)) + ".\n", encoding="utf-8")
        often = {"--checkpoint-every": steps // 200, "--eval-every": steps // 100, "--sample-every": steps // 50}
        self._cadence = [str(part) for name, every in often.items() for part in (name, max(5, every))]
        self._lost: list[str] = []
        self._missed = 0
        """How often in a row a process had ended before it was to be killed: the next one is killed sooner."""
        self._run = place / "killed"

    def run(self, kills: int) -> Verdict:
        """Raises RuntimeError when a run cannot be resumed, or does not end."""
        left_alone = self._place / "left-alone"
        self._end(self._start(left_alone.name))
        process = self._start(self._run.name)
        done = in_saves = at_the_end = 0
        last_ones = max(1, round(AT_THE_END * kills))
        for attempt in range(3 * kills):
            if done == kills:
                break
            all_taken = self._all_taken
            kind = "at the end" if all_taken or done >= kills - last_ones else KINDS[attempt % len(KINDS)]
            half_written = _being_written(self._run)
            if self._kill(process, kind):
                done += 1
                in_saves += bool(_being_written(self._run) - half_written)
                at_the_end += self._all_taken
                self._check_announced()
                reached = max((event.step for event in _events(self._run)), default=0)
                print(f"\rkill {done} of {kills}, step {reached}", end="", file=sys.stderr, flush=True)
            process = self._resume(with_steps=bool(attempt % 2))
        self._end(process)
        if not self._finished:
            self._end(self._resume(with_steps=False))
        steps = sum(event["event"] == "step" for event in _lines(self._run))
        differences = list(_differences(left_alone, self._run))
        if not self._finished:
            differences.append("the run did not come to its end")
        return Verdict(done, in_saves, at_the_end, steps, self._lost, differences)

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        asked = [str(self._corpus), "--name", name, "--steps", str(self._steps), "--precision", self._precision]
        return self._trainer("train", *asked, *OPTIONS, *self._cadence)

    def _resume(self, with_steps: bool) -> subprocess.Popen[bytes]:
        return self._trainer("resume", str(self._run), *["--steps", str(self._steps)] * with_steps)

    def _trainer(self, command: str, *asked: str) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", "tui_trainer", command, *asked, "--headless", "--runs-dir", str(self._place)]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def _kill(self, process: subprocess.Popen[bytes], kind: str) -> bool:
        """Whether it was killed, and did not end by itself."""
        run, size, before = self._run, _size(self._run), _being_written(self._run)
        # Before there is anything to keep, every kill costs the run: that proves nothing.
        _wait(process, lambda: (run / "checkpoints" / "latest").exists())
        if kind == "in a save":
            _wait(process, lambda: bool(_being_written(run) - before), pause=0.0002)
        elif kind == "while training":
            _wait(process, lambda: _size(run) > size)
        elif kind == "at the end":
            _wait(process, lambda: _size(run) > size and self._all_taken, WAIT_SECONDS, pause=0.005)
        _wait(process, lambda: False, PATIENCE[kind] * self._chooser.random() / 4**self._missed)
        if process.poll() is not None:
            self._end(process)
            self._missed += 1
            return False
        self._missed = 0
        process.kill()
        process.communicate(timeout=WAIT_SECONDS)
        return True

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

    @property
    def _all_taken(self) -> bool:
        """Whether the last step is among the last events."""
        if not _size(self._run):
            return False
        return any(isinstance(event, Step) and event.step == self._steps for event in journal.tail(_journal(self._run)))

    @property
    def _finished(self) -> bool:
        return any(isinstance(event, StateChanged) and event.state == "finished" for event in _events(self._run))


def _wait(
    process: subprocess.Popen[bytes], true: Callable[[], bool], seconds: float = MOMENT_SECONDS, pause: float = 0.001
) -> None:
    """Until it is true, the process has ended, or so much time has passed."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and not true() and time.monotonic() < deadline:
        time.sleep(pause)


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


def _events(run: Path) -> list[Event]:
    return list(journal.effective(_journal(run))) if _journal(run).exists() else []


def _lines(run: Path) -> Iterator[dict[str, Any]]:
    for line in _journal(run).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _differences(one: Path, other: Path) -> Iterator[str]:
    """Where two runs differ: in what was measured, and in the last checkpoint's files."""
    for kind, names in COMPARED.items():
        told = [[tuple(getattr(e, n) for n in names) for e in _events(run) if e.event == kind] for run in (one, other)]
        # What was told right before a kill, at the step of the newest checkpoint, is told again; it is the same.
        ours, theirs = (list(dict.fromkeys(each)) for each in told)
        yield from (f"{kind}: {a} was {b}" for a, b in zip(ours, theirs, strict=False) if a != b)
        if len(ours) != len(theirs):
            yield f"{kind}: {len(ours)} were {len(theirs)}"
    newest = [run / "checkpoints" / (run / "checkpoints" / "latest").read_text().strip() for run in (one, other)]
    yield from (name for name in FILES if len({(path / name).read_bytes() for path in newest}) > 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--steps", type=int, default=0, help="Of the run; about 60 a kill when left out.")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    steps = asked.steps or 60 * asked.kills
    with tempfile.TemporaryDirectory() as place:
        verdict = Torture(Path(place), steps, asked.seed, asked.precision).run(asked.kills)
    print(
        f"\n{asked.precision}: {verdict.kills} kills, {verdict.in_saves} of them in the middle of a save, "
        f"{verdict.at_the_end} between the last step and the end; {verdict.steps_taken:,} steps taken for {steps:,}.\n"
        f"Checkpoints lost: {verdict.lost or 'none'}.\n"
        f"Differences from the run left alone: {verdict.differences or 'none'}."
    )
    sys.exit(bool(verdict.lost or verdict.differences))


if __name__ == "__main__":
    main()
