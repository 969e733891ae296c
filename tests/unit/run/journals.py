"""Journals at a path: written as a trainer writes them, and read."""

from pathlib import Path

from tui_trainer.run import journal
from tui_trainer.run.events import Event
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import Journal
from tui_trainer.run.lineage import FIRST, Start


def write_journal(directory: Path, *events: Event) -> None:
    """Append events to the journal in a directory."""
    with Folder.open(directory) as folder:
        written = Journal(folder)
    for event in events:
        written.append(event)
    written.close()


def read(path: Path, size: int = 0) -> list[Event]:
    with Folder.open(path.parent) as folder:
        return list(journal.read(folder, size))


def without_superseded(path: Path, size: int = 0, resumed_at: int | None = None) -> list[Event]:
    later = [] if resumed_at is None else [Start(FIRST, resumed_at)]
    with Folder.open(path.parent) as folder:
        return list(journal.without_superseded(folder, size, later))


def tail(path: Path, size: int = 262_144, steps: int | None = None) -> list[Event]:
    with Folder.open(path.parent) as folder:
        return journal.tail(folder, size, steps)
