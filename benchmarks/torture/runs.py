"""Reads the files of the runs that are killed, and compares two runs."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui_trainer.run import journal
from tui_trainer.run.events import WHOLE, Alert, Evaluation, Event
from tui_trainer.run.folder import Folder

COMPARED = {
    "step": ("step", "loss", "lr", "grad_norm", "weight_norm", "tokens"),
    "eval": ("step", "train_loss", "val_loss", "best"),
    "sample": ("step", "text", "seed"),
    "alert": ("step", "message"),
}
"""The fields of each kind of event that a kill must not change."""

FILES = ("model.safetensors", "optimizer.safetensors")


def journal_path(run: Path) -> Path:
    return run / "journal.jsonl"


def journal_size(run: Path) -> int:
    path = journal_path(run)
    return path.stat().st_size if path.exists() else 0


def unfinished_checkpoints(run: Path) -> set[tuple[str, float]]:
    """Incomplete checkpoints, by name and time: being written, or left by a kill."""
    found = set()
    for path in (run / "checkpoints").glob(".*.partial"):
        with suppress(OSError):  # it was renamed into place
            found.add((path.name, path.stat().st_ctime))
    return found


def events_after(run: Path, since: int) -> list[Event]:
    """The events near the journal's end, after its first `since` bytes."""
    new = journal_size(run) - since
    if new <= 0:
        return []
    with Folder.open(run) as folder:
        return journal.tail(folder, min(new, 262_144))


def events(run: Path) -> list[Event]:
    if not journal_path(run).exists():
        return []
    with Folder.open(run) as folder:
        return list(journal.without_superseded(folder))


def lines(run: Path) -> Iterator[dict[str, Any]]:
    for line in journal_path(run).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def is_rollback(event: Event) -> bool:
    return isinstance(event, Alert) and event.kind == "divergence" and "rollback" in event.message


def _is_compared(event: Event, kind: str) -> bool:
    """Of alerts only those of divergences, as others are about the kills; the clock decides on quick evaluations."""
    if isinstance(event, Evaluation) and event.part != WHOLE:
        return False
    return event.event == kind and (not isinstance(event, Alert) or event.kind == "divergence")


def differences(one: Path, other: Path) -> Iterator[str]:
    """Where two runs differ: in the COMPARED fields, and in the files of the last checkpoint."""
    for kind, names in COMPARED.items():
        values = [
            [tuple(getattr(e, n) for n in names) for e in events(run) if _is_compared(e, kind)] for run in (one, other)
        ]
        # An event at the step of the newest checkpoint, right before a kill, is journalled twice, with equal fields.
        ours, theirs = (list(dict.fromkeys(each)) for each in values)
        yield from (f"{kind}: {a} was {b}" for a, b in zip(ours, theirs, strict=False) if a != b)
        if len(ours) != len(theirs):
            yield f"{kind}: {len(ours)} were {len(theirs)}"
    newest = [run / "checkpoints" / (run / "checkpoints" / "latest").read_text().strip() for run in (one, other)]
    yield from (name for name in FILES if len({(path / name).read_bytes() for path in newest}) > 1)
