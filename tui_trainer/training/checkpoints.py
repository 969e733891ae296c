"""Checkpoints: directories written aside and renamed when whole, in safetensors and JSON, nothing that can run code.

`model.safetensors`, `config.json` and `tokenizer.json` are a Hugging Face Qwen3 model; `optimizer.safetensors` and
`trainer.json` are what resuming needs beside them.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tui_trainer.config import InputError
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.files import replace_text, sync
from tui_trainer.run.text import visible_line

BY_HAND: Final = "asked"
"""Reason of a checkpoint that a person asked for: such are never removed."""

LAST_FILE: Final = "trainer.json"

UNREADABLE: Final = (OSError, SafetensorError, ValueError, KeyError, TypeError)
"""What reading a damaged checkpoint raises."""


@dataclass
class Progress:
    """Where the training loop is; with weights and optimizer, all that the steps to come depend on."""

    fingerprint: str
    """Of the corpus."""
    temperature: float
    prompt: str
    step: int = 0
    tokens: int = 0
    best_loss: float | None = None
    best_step: int = 0
    evaluations_since_best: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    """Training losses since the last evaluation."""


class CheckpointStore:
    """The checkpoints of one run."""

    def __init__(self, root: Path, keep: int) -> None:
        self._root = root
        self._keep = keep

    def path(self, step: int) -> Path:
        return self._root / f"step-{step:08}"

    def save(
        self, model: Transformer, state: Mapping[str, Tensor], tokenizer: str, progress: Progress, reason: str
    ) -> Path:
        """Write a checkpoint, or mark the one of this step that is there; raises OSError, and then nothing is lost.

        `state` is what the stepper remembers beside the weights.
        """
        path = self.path(progress.step)
        if not path.exists():
            self._write(path, model, state, tokenizer, {**asdict(progress), "reason": reason})
        else:
            if _asked_for(path):
                reason = BY_HAND
            replace_text(path / LAST_FILE, json.dumps({**asdict(progress), "reason": reason}, indent=1))
        replace_text(self._root / "latest", path.name)
        if progress.best_step == progress.step and progress.best_loss is not None:
            replace_text(self._root / "best", path.name)
        self._prune()
        return path

    def _write(
        self, path: Path, model: Transformer, state: Mapping[str, Tensor], tokenizer: str, trainer: dict[str, Any]
    ) -> None:
        aside = path.with_name(f".{path.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            weights = {name: tensor.clone() for name, tensor in model.qwen3_weights().items()}
            save_file(weights, aside / "model.safetensors", metadata={"format": "pt"})
            save_file(dict(state), aside / "optimizer.safetensors")
            (aside / "config.json").write_text(json.dumps(model.shape.to_qwen3(), indent=1), encoding="utf-8")
            (aside / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
            (aside / LAST_FILE).write_text(json.dumps(trainer, indent=1), encoding="utf-8")
            for file in (*aside.iterdir(), aside):
                sync(file)
        except BaseException as error:
            shutil.rmtree(aside, ignore_errors=True)
            if isinstance(error, SafetensorError):  # what safetensors makes of a full disk
                raise OSError(str(error)) from error
            raise
        aside.rename(path)
        sync(self._root)

    def _prune(self) -> None:
        kept = {self.pointed("latest"), self.pointed("best"), *self._all()[-self._keep :]}
        for path in self._all():
            if path not in kept and not _asked_for(path):
                # Out of sight first: a half-removed directory must not pass for a checkpoint.
                shutil.rmtree(path.rename(path.with_name(f".removed-{path.name}")), ignore_errors=True)

    def _all(self) -> list[Path]:
        return sorted(path for path in self._root.glob("step-*") if (path / LAST_FILE).is_file())

    def pointed(self, pointer: str) -> Path | None:
        """The checkpoint that `latest` or `best` names."""
        try:
            path = self._root / (self._root / pointer).read_text(encoding="utf-8").strip()
        except OSError:
            return None
        return path if path in self._all() else None

    def best(self) -> "Checkpoint | None":
        """The best checkpoint, if there is one that can be read."""
        path = self.pointed("best")
        try:
            return Checkpoint.read(path) if path else None
        except UNREADABLE:
            return None

    def newest(self) -> "Checkpoint":
        """The newest checkpoint that can be read; raises InputError if none can.

        Newer ones that cannot are set aside, so that their steps can be saved again when training comes by.
        """
        unreadable: list[Path] = []
        for path in sorted(self._root.glob("step-*"), reverse=True):
            try:
                checkpoint = Checkpoint.read(path)
            except UNREADABLE:
                unreadable.append(path)
                continue
            for broken in unreadable:
                aside = broken.with_name(f".unreadable-{broken.name}")
                shutil.rmtree(aside, ignore_errors=True)
                broken.rename(aside)
            return checkpoint
        raise InputError(
            f"{visible_line(str(self._root.parent))} has no checkpoint that can be read: train anew under another name."
        )


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint read into memory."""

    progress: Progress
    weights: dict[str, Tensor]
    state: dict[str, Tensor]
    """Of the stepper."""

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        trainer = _read_json(path / LAST_FILE)
        trainer.pop("reason")
        weights, state = load_file(path / "model.safetensors"), load_file(path / "optimizer.safetensors")
        return cls(Progress(**trainer), weights, state)


def _asked_for(path: Path) -> bool:
    """Whether a person asked for this checkpoint; one that cannot tell may be such."""
    try:
        return bool(_read_json(path / LAST_FILE).get("reason") == BY_HAND)
    except (OSError, ValueError, TypeError):
        return True


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
