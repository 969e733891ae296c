"""Kills a run again and again, resumes it each time, and compares it with one that was left alone.

`python -m benchmarks.torture --kills 200` takes about a quarter of an hour. Every other kill waits for a checkpoint
that is just being written, the rest come at any moment, some of them while the run is being taken up again.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_trainer.run import journal
from tui_trainer.run.events import CheckpointSaved, Event, StateChanged

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

PATIENCE = {"in a save": 0.02, "while training": 1.5, "at the start": 4.0}
"""Seconds within which a kill of each kind comes, at random."""

FILES = ("model.safetensors", "optimizer.safetensors")


@dataclass(frozen=True)
class Verdict:
    kills: int
    in_saves: int
    """Kills that left a half-written checkpoint behind."""
    steps_taken: int
    """With those that were taken again."""
    lost: list[str]
    """Checkpoints that had been announced, and were gone after a kill."""
    differences: list[str]
    """Where the run is not what it would have been."""


class Torture:
    def __init__(self, place: Path, steps: int, seed: int = 1) -> None:
        self._place, self._steps = place, steps
        self._chooser = random.Random(seed)
        self._corpus = place / "woods.txt"
        self._corpus.write_text(" ".join(random.Random(7).choices(WORDS, k=8000)) + ".\n", encoding="utf-8")
        often = {"--checkpoint-every": steps // 200, "--eval-every": steps // 100, "--sample-every": steps // 50}
        self._cadence = [str(part) for name, every in often.items() for part in (name, max(5, every))]
        self._lost: list[str] = []

    def run(self, kills: int) -> Verdict:
        """Raises RuntimeError when a run cannot be resumed."""
        left_alone, killed = self._place / "left-alone", self._place / "killed"
        self._end(self._start(left_alone.name))
        process, done, in_saves = self._start(killed.name), 0, 0
        while done < kills and not self._finished(killed):
            half_written = _being_written(killed)
            if self._kill(process, killed, KINDS[done % len(KINDS)]):
                done += 1
                in_saves += bool(_being_written(killed) - half_written)
                self._check_announced(killed)
                print(f"\rkill {done} of {kills}, step {self._reached(killed)}", end="", file=sys.stderr, flush=True)
            process = self._resume(killed)
        self._end(process)
        steps = sum(event["event"] == "step" for event in _lines(killed))
        return Verdict(done, in_saves, steps, self._lost, list(_differences(left_alone, killed)))

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        asked = [str(self._corpus), "--name", name, "--steps", str(self._steps), *OPTIONS, *self._cadence]
        return self._trainer("train", *asked)

    def _resume(self, run: Path) -> subprocess.Popen[bytes]:
        return self._trainer("resume", str(run), "--steps", str(self._steps))

    def _trainer(self, command: str, *asked: str) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", "tui_trainer", command, *asked, "--headless", "--runs-dir", str(self._place)]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def _kill(self, process: subprocess.Popen[bytes], run: Path, kind: str) -> bool:
        """Whether it was killed, and did not end by itself."""
        # Before there is anything to keep, every kill costs the run: that proves nothing.
        while process.poll() is None and not (run / "checkpoints" / "latest").exists():
            time.sleep(0.001)
        size, before = _size(run), _being_written(run)
        while process.poll() is None and kind == "in a save" and _being_written(run) <= before:
            time.sleep(0.0002)
        while process.poll() is None and kind == "while training" and _size(run) <= size:
            time.sleep(0.01)
        deadline = time.monotonic() + PATIENCE[kind] * self._chooser.random()
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        if process.poll() is not None:
            self._end(process)
            return False
        process.kill()
        process.communicate()
        return True

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _, error = process.communicate()
        # One that had finished when it was to be resumed has nothing left to do.
        if process.returncode and b"has taken" not in error:
            raise RuntimeError(f"status {process.returncode}: {error.decode(errors='replace')}")

    def _check_announced(self, run: Path) -> None:
        """The newest checkpoint that the journal tells of is there, whole."""
        announced = [event.step for event in _events(run) if isinstance(event, CheckpointSaved)]
        if announced and not (run / "checkpoints" / f"step-{announced[-1]:08}" / "trainer.json").exists():
            self._lost.append(f"step {announced[-1]}")

    @staticmethod
    def _reached(run: Path) -> int:
        return max((event.step for event in _events(run)), default=0)

    @staticmethod
    def _finished(run: Path) -> bool:
        return any(isinstance(event, StateChanged) and event.state == "finished" for event in _events(run))


def _size(run: Path) -> int:
    path = run / "journal.jsonl"
    return path.stat().st_size if path.exists() else 0


def _being_written(run: Path) -> set[tuple[str, float]]:
    """Checkpoints that are not whole, by name and time: those that are being written, or were when it was killed."""
    found = set()
    for path in (run / "checkpoints").glob(".*.partial"):
        with suppress(OSError):  # it is whole by now
            found.add((path.name, path.stat().st_ctime))
    return found


def _events(run: Path) -> list[Event]:
    path = run / "journal.jsonl"
    return list(journal.effective(path)) if path.exists() else []


def _lines(run: Path) -> Iterator[dict[str, Any]]:
    for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _differences(one: Path, other: Path) -> Iterator[str]:
    """Where two runs differ: in what was measured, and in the last checkpoint's files."""
    for kind, names in COMPARED.items():
        told = [[tuple(getattr(e, n) for n in names) for e in _events(run) if e.event == kind] for run in (one, other)]
        # A regular sample may be told twice when a run was killed right after it; it is the same.
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
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        verdict = Torture(Path(place), asked.steps or 60 * asked.kills, asked.seed).run(asked.kills)
    print(
        f"\n{verdict.kills} kills, {verdict.in_saves} of them in the middle of a save; {verdict.steps_taken:,} steps "
        f"taken for {asked.steps or 60 * asked.kills:,}.\nCheckpoints lost: {verdict.lost or 'none'}.\n"
        f"Differences from the run left alone: {verdict.differences or 'none'}."
    )
    sys.exit(bool(verdict.lost or verdict.differences))


if __name__ == "__main__":
    main()
