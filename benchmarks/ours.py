"""Our side: the whole trainer with its journal, as in a headless run, paused between turns."""

import json
import sys
import tempfile
import threading
import time

from benchmarks.side import TURN_SECONDS, Turn, serve
from tui_trainer.config import Config
from tui_trainer.run.commands import Pause, Resume, Stop
from tui_trainer.run.events import Evaluation, Event, RunStarted, Stage, StateChanged, Step
from tui_trainer.training.local import LocalSession

NEVER = 10**9

LEAVING_SECONDS = 60.0


class Session(LocalSession):
    """Pauses at a given step, so that none is taken outside a turn; after the last step the run ends."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.pause_at = 0
        self.failure = ""
        self._last_step = config.schedule.steps
        self.paused = threading.Event()
        self.val_loss: float | None = None
        self.parameters = self.tokens_per_step = 0
        self.compiling_since: float | None = None
        self.send(Pause())

    def publish(self, event: Event) -> None:
        super().publish(event)
        match event:
            case Step() if event.step == self.pause_at:
                self.ended = time.perf_counter()
                if event.step < self._last_step:
                    self.send(Pause())
            case StateChanged(state="paused" | "finished"):
                self.paused.set()
            case StateChanged(state="failed"):
                self.failure = event.reason
                self.paused.set()
            case Evaluation(part="whole"):
                self.val_loss = event.val_loss
            case RunStarted():
                self.parameters, self.tokens_per_step = event.model.parameters, event.plan.tokens_per_step
            case Stage(stage="compiling the model"):
                self.compiling_since = time.perf_counter()


class Trainer:
    def __init__(self, config: Config) -> None:
        self._session = Session(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()
        self._taken = 0
        since = self._session.compiling_since
        self._compiling = time.perf_counter() - since if since else 0.0
        """Seconds, which count as the first turn's."""

    def _run(self) -> None:
        try:
            self._session.run()
        finally:
            self._session.paused.set()

    def _wait(self) -> None:
        session = self._session
        in_time = session.paused.wait(TURN_SECONDS)
        problem = session.failure if in_time else f"A turn took more than {TURN_SECONDS:.0f} s."
        if not problem and session.outcome:
            problem = session.outcome.error
        if problem:
            self.close()
            raise SystemExit(problem)

    def train(self, steps: int) -> Turn:
        session = self._session
        self._taken += steps
        session.pause_at = self._taken
        session.paused.clear()
        started = time.perf_counter()
        session.send(Resume())
        self._wait()
        seconds, self._compiling = session.ended - started + self._compiling, 0.0
        return Turn(seconds, session.val_loss, session.parameters, session.tokens_per_step)

    def close(self) -> None:
        """End the run and wait for its thread: a thread that still computes would abort the process at its exit."""
        self._session.send(Stop(value=False))
        self._thread.join(LEAVING_SECONDS)


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    with tempfile.TemporaryDirectory() as runs:
        asked = {"eval_every": NEVER, "sample_every": NEVER, "checkpoint_every": NEVER, "sample_tokens": 1}
        corpus = (settings.pop("corpus"),)
        trainer = Trainer(Config().update(corpus=corpus, runs_dir=runs, **asked, **settings))
        try:
            serve(trainer.train)
        finally:
            trainer.close()
