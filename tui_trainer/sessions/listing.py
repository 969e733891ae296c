"""All runs in a table that fits a terminal: those of the root by name, those elsewhere by path."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.finding import known_runs, last_change
from tui_trainer.run.lock import is_locked, trainer_pid
from tui_trainer.run.text import human_bytes, human_seconds, visible_line
from tui_trainer.sessions.overview import Overview, overview

WIDTH: Final = 80
"""Columns of the narrowest terminal."""

HEADINGS: Final = ("RUN", "STATE", "STEP", "LOSS", "BEST", "MEMORY", "GPU", "UNATTENDED", "LAST SIGN")

NONE: Final = "-"

UNREADABLE: Final = "unreadable"
"""The state of a run whose files cannot be read by this version, or are broken."""

UNKNOWN: Final = "?"
"""Whether a viewer is attached to a live run whose trainer does not answer."""


def overviews(root: Path) -> list[Overview]:
    """Every run that is known: live ones first, of each kind the one that changed last.

    Raises InputError where `root` cannot be read.
    """
    found = [_overview(run) for run in known_runs(root)]
    return sorted(found, key=lambda each: (each.live, each.changed), reverse=True)


def _overview(run: RunDirectory) -> Overview:
    """What is known of a run, if only why it cannot be read."""
    try:
        return overview(run)
    except InputError as error:
        live = is_locked(run)
        return Overview(
            name=run.name,
            path=str(run.path),
            state=UNREADABLE,
            step=0,
            steps=0,
            loss=None,
            val_loss=None,
            best_val_loss=None,
            best_step=0,
            time_left=None,
            changed=last_change(run),
            live=live,
            pid=trainer_pid(run) if live else None,
            error=str(error),
        )


def errors(found: Sequence[Overview]) -> list[str]:
    """A line for each run that cannot be read."""
    return [visible_line(f"{run.name}: {run.error}") for run in found if run.error]


def table(found: Sequence[Overview], root: Path) -> str:
    """The runs as aligned columns under a heading; a name that leaves no room for the rest has a line of its own."""
    rows = [HEADINGS, *(_row(each, root) for each in found)]
    kept = [number for number in range(len(HEADINGS)) if HEADINGS[number] != "GPU" or _is_used(rows, number)]
    widths = [max(len(row[number]) for row in rows) for number in kept]
    room = max(len(HEADINGS[0]), WIDTH - sum(2 + width for width in widths[1:]))
    widths[0] = max(len(row[0]) for row in rows if len(row[0]) <= room)
    lines = []
    for row in rows:
        cells = [row[number] for number in kept]
        if len(cells[0]) > widths[0]:
            lines.append(cells[0])
            cells[0] = ""
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    return "\n".join(lines)


def _is_used(rows: Sequence[tuple[str, ...]], number: int) -> bool:
    return any(row[number] != NONE for row in rows[1:])


def _row(run: Overview, root: Path) -> tuple[str, ...]:
    losses = [NONE if loss is None else f"{loss:.4f}" for loss in (run.loss, run.best_val_loss)]
    memory = [human_bytes(held) if held else NONE for held in (run.memory_bytes, run.device_memory_bytes)]
    alone = UNKNOWN if run.live and run.attended is None else NONE
    if run.unattended_since is not None:
        alone = human_seconds(time.time() - run.unattended_since)
    name = run.name if Path(run.path).parent == root else run.path
    sign = NONE if run.age is None else human_seconds(run.age)
    progress = NONE if run.error else run.progress
    return (visible_line(name), run.state, progress, *losses, *memory, alone, sign)
