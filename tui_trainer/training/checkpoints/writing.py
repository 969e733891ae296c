"""Writing the files of one checkpoint."""

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import CHECKPOINT_FORMAT
from tui_trainer.run.lineage import FIRST_LINEAGE, Lineage
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.format import (
    BRANCHES,
    LAST_FILE,
    MODEL,
    OPTIMIZER,
    PARENT,
    ROLLBACK,
    ROLLBACK_STEPS,
    SHAPE_FILE,
    TOKENIZER_FILE,
    sealed,
)
from tui_trainer.training.checkpoints.tensor_files import write_tensors
from tui_trainer.training.progress import Progress, progress_values
from tui_trainer.training.recovery.rollback_buffer import RollbackState


def write_checkpoint(
    folder: Folder, contents: Contents, reason: str, lineage: Lineage = FIRST_LINEAGE, parent: str = ""
) -> None:
    """Write all files into an empty directory, and wait until they are on the disk; raises OSError."""
    step = contents.progress.step
    apart = [state for state in contents.rollback_states if state.step != step]
    tensors = {name: tensor for state in apart for name, tensor in _rollback_tensors(state).items()}
    hashes = {
        MODEL: write_tensors(folder, MODEL, contents.weights, {"format": "pt"}),
        OPTIMIZER: write_tensors(folder, OPTIMIZER, contents.state),
        SHAPE_FILE: _write(folder, SHAPE_FILE, json.dumps(contents.shape.to_qwen3(), indent=1)),
        TOKENIZER_FILE: _write(folder, TOKENIZER_FILE, contents.tokenizer),
    }
    if apart:
        hashes[ROLLBACK] = write_tensors(folder, ROLLBACK, tensors)
    steps = [state.step for state in contents.rollback_states]
    trainer = trainer_record(contents.progress, reason, steps, lineage, parent)
    _write(folder, LAST_FILE, sealed(trainer, hashes))
    folder.sync()


def trainer_record(
    progress: Progress, reason: str, rollback_steps: Sequence[int], lineage: Lineage = FIRST_LINEAGE, parent: str = ""
) -> dict[str, Any]:
    """`trainer.json` without its hashes."""
    origin = {BRANCHES: list(map(list, lineage)), PARENT: parent}
    further = {"reason": reason, ROLLBACK_STEPS: list(rollback_steps), **origin}
    return {"format": CHECKPOINT_FORMAT, **progress_values(progress), **further}


def _write(folder: Folder, name: str, text: str) -> str:
    """Make a file, and wait until it is on the disk; its SHA-256."""
    data = text.encode()
    with folder.open_new(name) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def _rollback_tensors(state: RollbackState) -> dict[str, Tensor]:
    parts = {"model": state.weights, "optimizer": state.state}
    return {
        f"{state.step}.{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()
    }
