"""A store, and a trained model to save in it."""

from pathlib import Path

from tests.unit.training.helpers import small_model, small_stepper, take
from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.folder import Folder
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback_buffer import copy_state
from tui_trainer.training.step.stepper import Stepper

TOKENIZER = Tokenizer.characters("the cat sat").to_json()


def trained(steps: int = 3, kind: str = "muon") -> tuple[Transformer, Stepper]:
    """A model, and a stepper with something in its memory."""
    model = small_model()
    stepper = small_stepper(model, kind=kind)
    for step in range(steps):
        take(stepper, step)
    return model, stepper


def progress(step: int, best_step: int = 0) -> Progress:
    return Progress("f" * 64, 0.8, "The", step, step * 32, 1.5 if best_step else None, best_step, 2, None, 4.25, 3)


class Saver:
    """A store, and a model to save in it."""

    def __init__(self, root: Path, keep: int = 3) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.store = CheckpointStore(Folder.open(root.parent), keep)
        self.model, self.stepper = trained()

    def save(self, step: int, reason: str = "periodic", best_step: int = 0) -> Path:
        copy = copy_state(self.model, self.stepper, step)
        contents = Contents(progress(step, best_step), copy.weights, copy.state, self.model.shape, TOKENIZER)
        return self.store.save(contents, reason)

    def newest(self) -> int:
        """The step that a resumed run goes on from, once it does."""
        checkpoint, damaged = self.store.newest()
        self.store.resume_from(checkpoint.progress, damaged)
        return checkpoint.progress.step

    def steps(self) -> list[int]:
        return sorted(int(path.name.removeprefix("step-")) for path in self.root.glob("step-*"))
