"""Reading a checkpoint: `trainer.json`, and the files whose hashes it has."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tui_trainer.config import InputError, ModelConfig
from tui_trainer.model.transformer import ModelShape
from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import NEWER_CHECKPOINT, NewerFormatError, check_checkpoint_format
from tui_trainer.run.lineage import FIRST_LINEAGE, Branch, Lineage
from tui_trainer.run.pointers import id_of
from tui_trainer.run.text import visible_line
from tui_trainer.training.checkpoints.format import (
    BRANCHES,
    FILES,
    HASHES,
    LAST_FILE,
    MAX_BYTES,
    MAX_SIZE,
    MAX_STATES,
    MODEL,
    OPTIMIZER,
    OWN_HASH,
    PARENT,
    ROLLBACK,
    ROLLBACK_STEPS,
    SHAPE_FILE,
    SIZES,
    DamagedError,
    sealed,
)
from tui_trainer.training.checkpoints.tensor_files import (
    MAX_HEADER_BYTES,
    Shapes,
    bytes_of,
    has_tensors,
    read_tensors,
    sha256_of,
    shapes_of,
)
from tui_trainer.training.progress import Progress, UnknownFieldError, checked_progress
from tui_trainer.training.recovery.rollback_buffer import RollbackState


@dataclass(frozen=True)
class Record:
    """The contents of `trainer.json`."""

    progress: Progress
    reason: str
    rollback_steps: list[int]
    hashes: dict[str, str]
    lineage: Lineage = FIRST_LINEAGE
    parent: str = ""

    @classmethod
    def read(cls, folder: Folder) -> "Record":
        """Raises as Checkpoint.read does."""
        with _reading(folder, LAST_FILE):
            text = _text(folder.read(LAST_FILE, MAX_BYTES[LAST_FILE]))
            try:
                trainer = _json(text)
            except ValueError as error:
                raise DamagedError(str(error)) from error
            _check_format(trainer)
            own_hash, hashes = trainer.pop(OWN_HASH, None), trainer.pop(HASHES, None)
            # The text, not what it says: 1e-5 and 1E-5 are one number, and the second was never written.
            if own_hash is None or not isinstance(hashes, dict) or text != sealed(trainer, hashes):
                raise DamagedError("it was changed")
            trainer.pop("format", None)
            reason, steps = trainer.pop("reason", None), trainer.pop(ROLLBACK_STEPS, [])
            branches, parent = trainer.pop(BRANCHES, FIRST_LINEAGE), trainer.pop(PARENT, "")
            try:
                progress = checked_progress(trainer)
            except UnknownFieldError as error:
                raise NewerFormatError(f"{NEWER_CHECKPOINT} ({error}).") from error
            if not isinstance(reason, str):
                raise InputError("reason must be a text")
            if set(FILES) - hashes.keys():
                raise InputError(f"{HASHES} names too few files")
            known = isinstance(steps, list) and all(type(step) is int and 0 <= step <= progress.step for step in steps)
            if not known:
                raise InputError(f"{ROLLBACK_STEPS} must be steps up to {progress.step:,}")
            if not (parent == "" or (isinstance(parent, str) and id_of(parent))):
                raise InputError(f"{PARENT} must be the name of a checkpoint")
            return cls(progress, reason, steps, hashes, _lineage(branches, progress.step), parent)

    def has(self, folder: Folder, weights: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> bool:
        """Whether the checkpoint has these weights and this optimizer, to the bit; takes no memory to speak of.

        Raises as Checkpoint.read does, of files that are not whole or cannot be read.
        """
        same, parts = True, {MODEL: weights, OPTIMIZER: state}
        for name, tensors in parts.items():
            with _reading(folder, name), folder.open_to_read(name) as file:
                if sha256_of(file) != self.hashes[name]:
                    raise DamagedError("it was changed, or is not whole")
                same &= has_tensors(file, tensors)
        for name in FILES:
            with _reading(folder, name):
                folder.stat(name)
        return same

    def weights(self, folder: Folder) -> tuple[dict[str, Tensor], ModelShape]:
        """The model's weights, and its shape without dropout."""
        shape = self._shape(folder)
        return self.tensors(folder, MODEL, shape.qwen3_shapes()), shape

    def tensors(self, folder: Folder, name: str, model: Shapes) -> dict[str, Tensor]:
        """The tensors in a file of a checkpoint of such a model."""
        data = self.content(folder, name, MAX_STATES[name] * bytes_of(model) + MAX_HEADER_BYTES)
        with _reading(folder, name):
            return read_tensors(data, model if name == MODEL else None)

    def content(self, folder: Folder, name: str, limit: int) -> bytes:
        """What a file holds, which must be as it was written, and of no more than `limit` bytes."""
        with _reading(folder, name), folder.open_to_read(name) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size + 1) if size <= limit else b""
            content = hashlib.sha256(data).hexdigest() if size <= limit else sha256_of(file)
            if content != self.hashes.get(name):
                raise DamagedError("it was changed, or is not whole")
            if size > limit:
                raise InputError(f"it has more than {limit:,} bytes")
            return data

    def rollback_states(self, folder: Folder, own: RollbackState) -> tuple[RollbackState, ...]:
        """The states to roll back to, oldest first; none where the file with them is not there."""
        apart = [step for step in self.rollback_steps if step != own.step]
        if not apart:
            return (own,) if self.rollback_steps else ()
        try:
            folder.stat(ROLLBACK)
        except FileNotFoundError:
            return ()
        tensors = self.tensors(folder, ROLLBACK, shapes_of(own.weights))
        with _reading(folder, ROLLBACK):
            found = {step: _rollback_state(step, tensors, own) for step in apart}
        return tuple(own if step == own.step else found[step] for step in sorted(self.rollback_steps))

    def _shape(self, folder: Folder) -> ModelShape:
        data = self.content(folder, SHAPE_FILE, MAX_BYTES[SHAPE_FILE])
        with _reading(folder, SHAPE_FILE):
            content = _json(_text(data))
            sizes: dict[str, Any] = {name: content.get(key) for name, key in SIZES.items()}
            known = all(type(size) is int and 0 < size <= MAX_SIZE for size in sizes.values())
            if not known:
                raise ValueError(f"{', '.join(SIZES.values())} must be whole numbers that a model can have")
            # A size that no option can have is refused with the sentence for that option.
            ModelConfig(**{name: size for name, size in sizes.items() if name != "vocab_size"})
            return ModelShape(**sizes)


def _lineage(pairs: Any, step: int) -> Lineage:
    """Raises InputError for branches that no checkpoint of that step has."""
    try:
        lineage = tuple(Branch(int(number), int(begin)) for number, begin in pairs)
    except (TypeError, ValueError, OverflowError):
        lineage = ()
    steps = [branch.step for branch in lineage] + [step]
    numbers = [branch.id for branch in lineage]
    if lineage[:1] != FIRST_LINEAGE or numbers != sorted(set(numbers)) or steps != sorted(steps):
        raise InputError(
            f"{BRANCHES} must be branches, from the first on, and the steps up to {step:,} where they begin"
        )
    return lineage


def _rollback_state(step: int, tensors: Mapping[str, Tensor], own: RollbackState) -> RollbackState:
    """One of the states in `rollback.safetensors`; raises InputError where it is none of the run whose own this is."""
    weights, state = (
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        for prefix in (f"{step}.model.", f"{step}.optimizer.")
    )
    if shapes_of(weights) != shapes_of(own.weights) or shapes_of(state) != shapes_of(own.state):
        raise InputError(f"it has no state of step {step:,} that fits the model")
    return RollbackState(step, weights, state)


def _check_format(trainer: Mapping[str, Any]) -> None:
    try:
        check_checkpoint_format(trainer.get("format", 1))
    except NewerFormatError:
        raise
    except ValueError as error:
        raise DamagedError(str(error)) from error


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _json(text: str) -> dict[str, Any]:
    """A JSON object; raises ValueError."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


@contextmanager
def _reading(folder: Folder, name: str) -> Iterator[None]:
    """Name the file in the sentence about what is wrong with it."""
    place = visible_line(str(folder.path / name))
    try:
        yield
    except DamagedError as error:
        raise DamagedError(f"{place} is damaged: {error}.") from error
    except FileNotFoundError as error:
        raise DamagedError(f"{place} is missing.") from error
    except NewerFormatError:
        raise
    except (InputError, ValueError) as error:
        raise InputError(f"{place}: {error}.") from error
    except OSError as error:
        raise InputError(f"{place} cannot be read: {visible_line(error.strerror or str(error))}.") from error
