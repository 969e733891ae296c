"""Checkpoints: directories written aside and renamed when whole, in safetensors and JSON, nothing that can run code.

`model.safetensors`, `config.json` and `tokenizer.json` are a Hugging Face Qwen3 model; `optimizer.safetensors` and
`trainer.json` are what resuming needs beside them. `trainer.json` has the hashes of all the others, and its own.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tui_trainer.config import InputError
from tui_trainer.model.transformer import Shape
from tui_trainer.run.files import replace_text, sync
from tui_trainer.run.text import visible_line

BY_HAND: Final = "asked"
"""Reason of a checkpoint that a person asked for: such are never removed."""

FILES: Final = ("config.json", "model.safetensors", "optimizer.safetensors", "tokenizer.json")
LAST_FILE: Final = "trainer.json"
HASHES, OWN_HASH = "sha256", "sha256_of_this"

UNREADABLE: Final = (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
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
    evaluated_step: int = -1
    """Step of the last evaluation; -1 before the first, and in checkpoints older than this field."""
    loss_sum: float = 0.0
    loss_count: int = 0
    """Training losses since the last evaluation."""
    sampled_step: int = -1
    """Step of the last regular sample that was published."""
    rollbacks: int = 0
    lr_factor: float = 1.0
    """What the learning rate is multiplied by, up to step `lr_factor_until`."""
    lr_factor_until: int = 0
    batch_size: int = 0
    """Of the micro-batches, with `accumulate` of them a step, where memory was too small for the configured ones."""
    accumulate: int = 0
    planned_steps: int = 0
    """How many steps the run was to have in all when this was saved; 0 in checkpoints older than this field."""
    finished: bool = False
    """Whether the run has been brought to its end; not so when it was left between its last step and that."""
    guard: dict[str, float] = field(default_factory=dict)
    setup: dict[str, str] = field(default_factory=dict)
    """What the numbers depend on to the bit, beside configuration and corpus."""

    def out_of_patience(self, patience: int) -> bool:
        """Whether so many evaluations, if any number is given, have brought no improvement."""
        return 0 < patience <= self.evaluations_since_best


@dataclass(frozen=True)
class Contents:
    """What a checkpoint holds, in memory; nothing in it changes later."""

    progress: Progress
    weights: Mapping[str, Tensor]
    """By their names in a Qwen3 model."""
    state: Mapping[str, Tensor]
    """Of the stepper."""
    shape: Shape
    tokenizer: str


class CheckpointStore:
    """The checkpoints of one run."""

    def __init__(self, root: Path, keep: int) -> None:
        self._root = root
        self._keep = keep

    def path(self, step: int) -> Path:
        return self._root / f"step-{step:08}"

    def save(self, contents: Contents, reason: str) -> Path:
        """Write a checkpoint, or mark the one of this step that is there; raises OSError, and then nothing is lost."""
        progress = contents.progress
        path = self.path(progress.step)
        if hashes := _hashes(path):
            trainer = {**asdict(progress), "reason": BY_HAND if _asked_for(path) else reason}
            replace_text(path / LAST_FILE, _sealed(trainer, hashes))
        else:
            if path.exists():
                _set_aside(path)
            self._write(path, contents, reason)
        replace_text(self._root / "latest", path.name)
        if progress.best_step == progress.step and progress.best_loss is not None:
            replace_text(self._root / "best", path.name)
        self._prune()
        return path

    def _point(self, progress: Progress) -> None:
        """Set the pointers to what they are with this checkpoint: a process may have been killed before it could."""
        for pointer, step in (("latest", progress.step), ("best", progress.best_step)):
            path = self.path(step)
            if (path / LAST_FILE).is_file() and self.pointed(pointer) != path:
                with suppress(OSError):  # they are set again when the next checkpoint is saved
                    replace_text(self._root / pointer, path.name)

    def _write(self, path: Path, contents: Contents, reason: str) -> None:
        aside = path.with_name(f".{path.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            save_file(dict(contents.weights), aside / "model.safetensors", metadata={"format": "pt"})
            save_file(dict(contents.state), aside / "optimizer.safetensors")
            (aside / "config.json").write_text(json.dumps(contents.shape.to_qwen3(), indent=1), encoding="utf-8")
            (aside / "tokenizer.json").write_text(contents.tokenizer, encoding="utf-8")
            trainer = {**asdict(contents.progress), "reason": reason}
            (aside / LAST_FILE).write_text(_sealed(trainer, _hashes_of(aside)), encoding="utf-8")
            for file in (*aside.iterdir(), aside):
                sync(file)
        except BaseException as error:
            shutil.rmtree(aside, ignore_errors=True)
            if isinstance(error, SafetensorError):
                # What safetensors makes of a full disk: the system's own words are the last in it.
                raise OSError(str(error).rpartition("I/O error: ")[2].partition(" (os error")[0]) from error
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

    def newest(self) -> "tuple[Checkpoint, list[Path]]":
        """The newest checkpoint that is whole, and the newer ones that are not; raises InputError if none is.

        Those are set aside, so that their steps can be saved again when training comes by.
        """
        broken: list[Path] = []
        for path in sorted(self._root.glob("step-*"), reverse=True):
            try:
                checkpoint = Checkpoint.read(path)
            except UNREADABLE:
                broken.append(path)
                continue
            self._point(checkpoint.progress)
            return checkpoint, [_set_aside(each) for each in broken]
        raise InputError(
            f"{visible_line(str(self._root.parent))} has no checkpoint that can be read: train anew under another name."
        )


def _set_aside(broken: Path) -> Path:
    aside = broken.with_name(f".unreadable-{broken.name}")
    shutil.rmtree(aside, ignore_errors=True)
    return broken.rename(aside)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint read into memory."""

    progress: Progress
    weights: dict[str, Tensor]
    state: dict[str, Tensor]
    """Of the stepper."""

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Raises one of UNREADABLE when anything in it is not as it was written."""
        trainer = _opened(path)
        weights, state = load_file(path / "model.safetensors"), load_file(path / "optimizer.safetensors")
        return cls(Progress(**trainer), weights, state)


def _asked_for(path: Path) -> bool:
    """Whether a person asked for this checkpoint; one that cannot tell may be such."""
    try:
        return bool(_read_json(path / LAST_FILE).get("reason") == BY_HAND)
    except (OSError, ValueError, TypeError):
        return True


def _hashes_of(path: Path) -> dict[str, str]:
    """Of the files of a checkpoint but the last, as they are."""
    return {name: _hash(path / name) for name in FILES}


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _hashes(path: Path) -> dict[str, str]:
    """The hashes that a checkpoint has; none if there is no such checkpoint, or it is broken."""
    try:
        return dict(_read_json(path / LAST_FILE)[HASHES])
    except UNREADABLE:
        return {}


def _sealed(trainer: dict[str, Any], hashes: Mapping[str, str]) -> str:
    """`trainer.json` with the hashes of the other files, and of itself without that last line."""
    record = {**trainer, HASHES: dict(hashes)}
    return json.dumps({**record, OWN_HASH: hashlib.sha256(json.dumps(record).encode()).hexdigest()}, indent=1)


def _opened(path: Path) -> dict[str, Any]:
    """The progress in `trainer.json`, once every file has been found to be as it was written; raises ValueError."""
    text = (path / LAST_FILE).read_text(encoding="utf-8")
    trainer = dict(json.loads(text))
    trainer.pop(OWN_HASH)
    hashes = trainer.pop(HASHES)
    # The text, not what it says: 1e-5 and 1E-5 are one number, and the second was never written.
    if text != _sealed(trainer, hashes):
        raise ValueError(f"{LAST_FILE} was changed")
    if hashes != _hashes_of(path):
        raise ValueError("a file was changed")
    trainer.pop("reason")
    return trainer


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
