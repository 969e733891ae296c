"""One side of a comparison: a trainer in a process of its own that works only when told to.

The parent writes a number of steps on a line, and reads how many seconds they took; at the end of the plan it reads the
loss over the whole validation part too. So two sides can take turns, and a busy moment of the machine meets both.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Turn:
    """Seconds that some steps took, and what they led to once the plan is fulfilled."""

    seconds: float
    val_loss: float | None = None
    parameters: int = 0
    tokens_per_step: int = 0


class Side:
    """A trainer at the other end of a pipe, with `steps` to take in all."""

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
        """Take so many more steps, or what is left of the plan; the seconds they took."""
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
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended early: run {self._process.args} to see why.")
        return Turn(**json.loads(line))

    def close(self) -> None:
        self._process.communicate()


def serve(train: Callable[[int], Turn]) -> None:
    """What a side's own process does: whatever the parent asks for, until it hangs up."""
    print(json.dumps({"seconds": 0.0}), flush=True)
    for line in sys.stdin:
        print(json.dumps(vars(train(int(line)))), flush=True)
