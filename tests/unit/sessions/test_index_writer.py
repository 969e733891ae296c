"""The index of a run that is being trained: written now and then, and at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.state.folded import started, step
from tests.waiting import until
from tui_trainer.history import history
from tui_trainer.history.journal_index import INDEX, Index, read_index
from tui_trainer.run.events import Event
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL, Journal
from tui_trainer.sessions import index_writer, journal_reader
from tui_trainer.sessions.index_writer import IndexWriter
from tui_trainer.sessions.journal_reader import JournalReader


class Trainer:
    """Journals what happens, as a session that trains does."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.reader = folder, JournalReader(folder)
        self.journal = Journal(folder)
        self.waiting = False
        """Whether the disk refuses what is written."""
        self.writer = IndexWriter(self.reader, lambda: None if self.waiting else self.journal.size)

    def publish(self, *events: Event) -> None:
        for event in events:
            self.writer.before_event(event)
            self.reader.state.apply(event)
            self.journal.append(event)

    def index(self) -> Index | None:
        with self.folder.open_to_read(JOURNAL) as file:
            return read_index(self.folder, file, 10**9)

    def entries(self) -> list[int]:
        """The steps of those that are in the index."""
        index = self.index()
        return [entry.step for entry in index.entries] if index else []


@pytest.fixture
def trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trainer]:
    monkeypatch.setattr(journal_reader, "SPACING", 4)
    monkeypatch.setattr(history, "BATCH", 1)
    with Folder.open(tmp_path) as folder:
        trainer = Trainer(folder)
        yield trainer
        trainer.writer.close()
        trainer.journal.close()


def test_at_the_end_there_is_an_index_of_the_whole_run(trainer: Trainer) -> None:
    trainer.publish(started(), *map(step, range(1, 11)))
    assert trainer.entries() == []
    trainer.writer.close()
    assert trainer.entries() == [4, 8]


def test_meanwhile_there_is_one_now_and_then(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_writer, "EVERY_SECONDS", 0.01)
    trainer.writer.close()
    trainer.writer = IndexWriter(trainer.reader, lambda: trainer.journal.size)
    for last in (4, 8, 12):
        trainer.publish(*map(step, range(last - 3, last + 1)))
        until(lambda last=last: trainer.entries()[-1:] == [last], "the index")  # type: ignore[misc]


def test_a_run_that_goes_on_has_entries_of_its_past_too(trainer: Trainer) -> None:
    trainer.publish(started(), *map(step, range(1, 11)))
    trainer.writer.close()
    again = Trainer(trainer.folder)
    for _ in again.reader.read():
        pass
    again.publish(started(step=10), *map(step, range(11, 21)))
    again.writer.close()
    assert again.entries() == [4, 8, 12, 16, 20]
    again.journal.close()


def test_while_the_disk_refuses_there_are_no_entries(trainer: Trainer) -> None:
    """Nobody could tell where they would be."""
    trainer.publish(started(), *map(step, range(1, 6)))
    trainer.waiting = True
    trainer.publish(*map(step, range(6, 10)))
    trainer.waiting = False
    trainer.publish(*map(step, range(10, 14)))
    trainer.writer.close()
    assert trainer.entries() == [4, 12]


def test_where_no_index_can_be_the_run_goes_on(trainer: Trainer, tmp_path: Path) -> None:
    (tmp_path / INDEX).mkdir()
    trainer.publish(started(), *map(step, range(1, 11)))
    trainer.writer.close()
    assert trainer.reader.state.snapshot().step == 10
    assert (tmp_path / INDEX).is_dir()


def test_without_a_thread_there_is_no_index(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object) -> None:
        raise RuntimeError("can't start new thread")

    trainer.writer.close()
    monkeypatch.setattr("threading.Thread.start", refuse)
    trainer.writer = IndexWriter(trainer.reader, lambda: trainer.journal.size)
    trainer.publish(started(), *map(step, range(1, 11)))
    trainer.writer.close()
    assert trainer.entries() == []
