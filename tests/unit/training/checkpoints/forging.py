"""Checkpoints changed by somebody who knows how to make their hashes fit."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tui_trainer.run.folder import Folder
from tui_trainer.training.checkpoints.checkpoint import Checkpoint
from tui_trainer.training.checkpoints.format import HASHES, LAST_FILE, OWN_HASH, sealed


def read(path: Path) -> Checkpoint:
    """The checkpoint in that directory."""
    with Folder.open(path) as folder:
        return Checkpoint.read(folder)


def told(path: Path) -> dict[str, Any]:
    """What `trainer.json` tells, without hashes."""
    trainer = json.loads((path / LAST_FILE).read_text(encoding="utf-8"))
    return {key: value for key, value in trainer.items() if key not in (HASHES, OWN_HASH)}


def seal(path: Path, trainer: dict[str, Any]) -> None:
    """Write `trainer.json` anew, with the hashes of the other files as they are."""
    others = sorted(file for file in path.iterdir() if file.name != LAST_FILE)
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in others}
    (path / LAST_FILE).write_text(sealed(trainer, hashes), encoding="utf-8")


def forge(path: Path, **changes: Any) -> None:
    """Change fields of `trainer.json`; None removes one."""
    trainer = told(path) | changes
    seal(path, {key: value for key, value in trainer.items() if changes.get(key, 0) is not None})
