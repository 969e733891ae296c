"""The models of a run that has come to its end: that of its last step, and the best by validation."""

from collections.abc import Mapping

from torch import Tensor

from tui_trainer.config import InputError
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import BEST, LAST
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.memory import within_memory
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback_buffer import RollbackState, copy_state
from tui_trainer.training.step.stepper import Stepper


class EndModels:
    """Gives the model the best weights or those of the last step, once nothing trains it any more.

    Both are held in the computer's memory from `load_best` on. Used by the trainer's thread alone.
    """

    def __init__(self, model: Transformer, stepper: Stepper, progress: Progress, store: CheckpointStore) -> None:
        self._model, self._stepper, self._progress, self._store = model, stepper, progress, store
        self._last: RollbackState | None = None
        self._best: Mapping[str, Tensor] = {}
        self._uses_best = False

    @property
    def differ(self) -> bool:
        """Whether the best evaluation was one before the last step."""
        return self._progress.best_loss is not None and self._progress.best_step != self._progress.step

    @property
    def both(self) -> bool:
        """Whether there are two models to choose from."""
        return self._last is not None

    @property
    def name(self) -> str:
        """What to call the model as it is; empty while the last one is the best one, too."""
        return BEST if self._uses_best else LAST if self.differ else ""

    @property
    def step(self) -> int:
        """The step whose weights the model has."""
        return self._progress.best_step if self._uses_best else self._progress.step

    def load_best(self) -> str:
        """Read the best weights, if those of the last step are not they, and they can be held beside them.

        Returns a warning, in a sentence, if they cannot be read; else nothing.
        """
        try:
            within_memory(self._read_best)
        except InputError as error:
            return f"The best model, of step {self._progress.best_step:,}, cannot be shown: {error}"
        except MemoryError:
            pass
        return ""

    def _read_best(self) -> None:
        if self.differ and not self.both:
            self._best = self._store.weights(self._progress.best_step)
            self._last = self._copy()

    def use(self, name: str) -> None:
        """Give the model the weights called `name`; it keeps what it has where there is no choice."""
        if self._last is not None:
            self._uses_best = name == BEST
            self._model.load_qwen3_weights(self._best if self._uses_best else self._last.weights)

    def last(self) -> RollbackState:
        """The weights and the optimizer's state of the last step, whichever weights the model has."""
        return self._last or self._copy()

    def _copy(self) -> RollbackState:
        return copy_state(self._model, self._stepper, self._progress.step)
