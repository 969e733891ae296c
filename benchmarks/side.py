"""One side of a comparison: a trainer in a process of its own that takes steps on request.

The parent writes a number of steps on a line, and reads how many seconds they took; after the last step it reads the
loss over the whole validation part too. So two sides can alternate, and other load on the machine affects both.
"""

import json
import select
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

TURN_SECONDS = 3600.0
"""Longest time for a side to start, or for the steps of a turn."""

CLOSING_SECONDS = 120.0


@dataclass(frozen=True)
class Turn:
    """The seconds that some steps took; after the last step also the validation loss."""

    seconds: float
    val_loss: float | None = None
    parameters: int = 0
    tokens_per_step: int = 0


class Side:
    """A trainer at the other end of a pipe, which is to take `steps` in all."""

    def __init__(self, name: str, module: str, steps: int, **options: str | float) -> None:
        self.name, self.steps = name, steps
        self.taken, self.seconds = 0, 0.0
        self.val_loss: float | None = None
        self.parameters = self.tokens_per_step = 0
        settings = json.dumps({"steps": steps, **options})
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, settings], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()  # it is ready

    def train(self, steps: int) -> float:
        """Take so many more steps, or as many as are left; returns the seconds they took."""
        steps = min(steps, self.steps - self.taken)
        if not steps:
            return 0.0
        assert self._process.stdin is not None
        print(steps, file=self._process.stdin, flush=True)
        turn = self._read()
        self.taken += steps
        self.seconds += turn.seconds
        self.val_loss, self.parameters, self.tokens_per_step = turn.val_loss, turn.parameters, turn.tokens_per_step
        return turn.seconds

    def _read(self) -> Turn:
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline() if select.select([stdout], [], [], TURN_SECONDS)[0] else ""
        if not line:
            self._process.kill()
            self._process.wait(CLOSING_SECONDS)
            raise SystemExit(f"{self.name} ended early: run {self._process.args!r} to see why.")
        return Turn(**json.loads(line))

    def close(self) -> None:
        """End the process by closing its standard input."""
        try:
            self._process.communicate(timeout=CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise SystemExit(f"{self.name} did not end within {CLOSING_SECONDS:.0f} s.") from None
        if self._process.returncode:
            raise SystemExit(f"{self.name} ended with status {self._process.returncode}.")


def serve(train: Callable[[int], Turn]) -> None:
    """The loop of a side's process: take the steps that the parent requests, until it closes the pipe."""
    print(json.dumps({"seconds": 0.0}), flush=True)
    for line in sys.stdin:
        print(json.dumps(vars(train(int(line)))), flush=True)
