"""What a checkpoint holds, in memory: before it is written, and after it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from tui_trainer.model.transformer import ModelShape
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST_LINEAGE, Lineage
from tui_trainer.training.checkpoints.format import MAX_BYTES, OPTIMIZER, TOKENIZER_FILE
from tui_trainer.training.checkpoints.record import Record
from tui_trainer.training.checkpoints.tensor_files import shapes_of
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback_buffer import RollbackState


@dataclass(frozen=True)
class Contents:
    """What a checkpoint holds, in memory; nothing in it changes later."""

    progress: Progress
    weights: Mapping[str, Tensor]
    """By their names in a Qwen3 model."""
    state: Mapping[str, Tensor]
    """Of the stepper."""
    shape: ModelShape
    tokenizer: str
    rollback_states: Sequence[RollbackState] = ()
    """States that a rollback may go back to; one of the checkpoint's own step has its weights and state."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint read into memory."""

    progress: Progress
    weights: dict[str, Tensor]
    state: dict[str, Tensor]
    """Of the stepper."""
    shape: ModelShape
    rollback_states: Sequence[RollbackState] = ()
    """What the run could roll back to; none where that is not known."""
    rollback_states_lost: bool = False
    """Whether it could roll back to states that are not there any more."""
    tokenizer: str = ""
    """As JSON."""
    lineage: Lineage = FIRST_LINEAGE

    @classmethod
    def read(cls, folder: Folder) -> "Checkpoint":
        """Raises DamagedError where a file is not as it was written, InputError where it is unreadable or unusable."""
        record = Record.read(folder)
        weights, shape = record.weights(folder)
        state = record.tensors(folder, OPTIMIZER, shapes_of(weights))
        tokenizer = record.content(folder, TOKENIZER_FILE, MAX_BYTES[TOKENIZER_FILE]).decode(errors="replace")
        progress = record.progress
        states = record.rollback_states(folder, RollbackState(progress.step, weights, state))
        lost = len(states) < len(record.rollback_steps)
        return cls(progress, weights, state, shape, states, lost, tokenizer, record.lineage)
