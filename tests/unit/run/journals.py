"""A journal written as a trainer writes it."""

from pathlib import Path

from tui_trainer.run.events import Event
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import Journal


def write_journal(directory: Path, *events: Event) -> None:
    """Append events to the journal in a directory."""
    with Folder.open(directory) as folder:
        journal = Journal(folder)
    for event in events:
        journal.append(event)
    journal.close()
