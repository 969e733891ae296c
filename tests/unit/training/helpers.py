"""A tiny run, and ways to watch it: in a thread as a screen does, or scripted, in the test's own thread."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.unit.run import journals
from tests.waiting import TIMEOUT, arriving
from tui_trainer.config import Config, DataConfig
from tui_trainer.corpus.batches import Batches
from tui_trainer.corpus.corpus import Corpus, load_corpus
from tui_trainer.model.transformer import ModelShape, Transformer
from tui_trainer.run.commands import Command, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Event, StateChanged, Step
from tui_trainer.training.local import LocalSession
from tui_trainer.training.planning.plan import Timings
from tui_trainer.training.step.batch_loader import BatchLoader, HostBatchLoader
from tui_trainer.training.step.optimizer import Optimizer, make_optimizer
from tui_trainer.training.step.stepper import Stepper, StepResult

TEXT = "The cat sat on the mat, and the dog lay by the door.\n" * 40
SMALL: dict[str, Any] = {
    "layers": 2,
    "width": 16,
    "heads": 2,
    "context": 8,
    "batch_size": 4,
    "lr": 1e-2,
    "steps": 12,
    "warmup": 2,
    "eval_every": 4,
    "sample_every": 6,
    "sample_tokens": 5,
    "checkpoint_every": 3,
    "device": "cpu",
    "threads": 1,
    "precision": "fp32",
    "compile": "off",
}
PRECISIONS = ("fp32", "bf16")
"""What must hold in every precision is tested in these: every CPU computes both, some of them slowly."""

ENDLESS = 10**6
NEVER_ENDING: dict[str, Any] = dict.fromkeys(("steps", "eval_every", "sample_every", "checkpoint_every"), ENDLESS)
"""A run that takes steps, and does nothing else."""

CPU = torch.device("cpu")
TIMINGS = Timings(step=0.01, evaluation=0.02, token=0.001)
"""What a run is told instead of measuring the machine."""


def small_config(corpus: Path, **changes: Any) -> Config:
    return Config().update(corpus=(str(corpus),), **{**SMALL, **changes})


def load(corpus: Path, **choices: Any) -> Corpus:
    return load_corpus(DataConfig(corpus=(str(corpus),), **choices), lambda stage, done, total: None)


def small_shape(**changes: Any) -> ModelShape:
    return ModelShape(**{"vocab_size": 11, "context": 8, "layers": 2, "heads": 2, "width": 16, **changes})


def small_model(seed: int = 1, **changes: Any) -> Transformer:
    """A model whose every parameter is random, so that each has an effect."""
    model = Transformer(small_shape(**changes))
    generator = torch.Generator().manual_seed(seed)
    model.initialise(generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model


def small_optimizer(model: Transformer, kind: str = "adamw") -> Optimizer:
    return make_optimizer(model, kind, weight_decay=0.1)


def tokens(count: int, vocab_size: int = 11, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, vocab_size, count).astype(np.uint8)


def small_stepper(
    model: Transformer,
    batch_size: int = 4,
    accumulate: int = 1,
    clip: float = 0.0,
    data: np.ndarray | None = None,
    kind: str = "adamw",
    masking: float = 0.0,
    precision: str = "fp32",
) -> Stepper:
    text = tokens(2000) if data is None else data

    def batch_loader(size: int) -> BatchLoader:
        return HostBatchLoader(Batches(text, 8, size, seed=1), CPU, masking)

    optimizer = small_optimizer(model, kind)
    return Stepper(model, optimizer, batch_loader, batch_size, accumulate, clip, seed=1, precision=precision)


def take(stepper: Stepper, step: int = 0, lr: float = 1e-2) -> StepResult:
    """One step, and what came of it."""
    assert stepper.take(step, lr, lambda: False)
    (result,) = stepper.results(wait=True)
    return result


class ScriptedSession(LocalSession):
    """Runs in the test's own thread; `react` answers its events with commands, so all comes at a known step."""

    def __init__(self, config: Config, react: Callable[[Event], Command | None] = lambda event: None) -> None:
        super().__init__(config)
        self.events: list[Event] = []
        self.react = react

    def publish(self, event: Event) -> None:
        super().publish(event)
        self.events.append(event)
        if (command := self.react(event)) is not None:
            self.send(command)
        if isinstance(event, StateChanged) and event.state in ("finished", "failed"):
            self.send(Stop(value=False, source="test"))

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Resumed(ScriptedSession):
    """The same for a run taken up again."""

    def __init__(
        self,
        directory: RunDirectory,
        steps: int | None = None,
        again: bool = False,
        react: Callable[[Event], Command | None] = lambda event: None,
    ) -> None:
        LocalSession.__init__(self, directory.read_config(), directory, steps, again)
        self.events = []
        self.react = react


def resume(directory: RunDirectory, steps: int | None = None) -> ScriptedSession:
    """Take a run up again, and let it end."""
    session = Resumed(directory, steps)
    session.run()
    return session


def run_to_end(config: Config, react: Callable[[Event], Command | None] = lambda event: None) -> ScriptedSession:
    session = ScriptedSession(config, react)
    session.run()
    return session


def steps_of(events: Iterable[Event]) -> list[int]:
    return [event.step for event in events if isinstance(event, Step)]


def stop_after(step: int, save: bool = True) -> Callable[[Event], Command | None]:
    return lambda event: Stop(value=save) if isinstance(event, Step) and event.step == step else None


class Watched:
    """A session in a thread of its own, seen as a front end sees it."""

    def __init__(self, session: LocalSession) -> None:
        self.session = session
        self.events: list[Event] = []
        self._queue = session.subscribe()
        self._thread = threading.Thread(target=session.run, daemon=True)
        self._thread.start()

    def ask(self, command: Command) -> None:
        self.session.send(command)

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        """The next event that is wanted; those before it are in `events` too."""
        for event in arriving(self._queue):
            self.events.append(event)
            if wanted(event):
                break
        return event

    def wait_for_state(self, state: str) -> Event:
        return self.wait_for(lambda event: isinstance(event, StateChanged) and event.state == state)

    def wait_for_kind(self, kind: type[Event]) -> Any:
        return self.wait_for(lambda event: isinstance(event, kind))

    def join(self) -> None:
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()


@contextmanager
def watched(session: LocalSession) -> Iterator[Watched]:
    watcher = Watched(session)
    try:
        yield watcher
    finally:
        session.send(Stop(value=False, source="test"))
        watcher.join()


def journalled(session: LocalSession) -> list[Event]:
    assert session.directory is not None
    return list(journals.read(session.directory.journal))


def only_run(runs: Path) -> RunDirectory:
    (path,) = runs.iterdir()
    return RunDirectory(path)
