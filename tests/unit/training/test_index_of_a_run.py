"""The index that a trainer keeps beside its journal is the one that a reader of the journal would make."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.helpers import Resumed, only_run, run_to_end, small_config, stop_after
from tui_trainer.history.journal_index import INDEX, Index, read_index
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL
from tui_trainer.sessions import journal_reader as module
from tui_trainer.sessions.journal_reader import JournalReader


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place every two steps, which are put into buckets at once."""
    monkeypatch.setattr(module, "SPACING", 2)
    monkeypatch.setattr("tui_trainer.history.history.BATCH", 1)


def index_of(run: RunDirectory) -> Index:
    with run.open() as folder, folder.open_to_read(JOURNAL) as file:
        index = read_index(folder, file, 10**9)
    assert index is not None
    return index


def made_anew(run: RunDirectory) -> Index:
    (run.path / INDEX).unlink()
    with run.open() as folder:
        reader = JournalReader(folder)
        for _ in reader.read():
            pass
        reader.write_index()
    return index_of(run)


def assert_same(ours: Index, theirs: Index) -> None:
    np.testing.assert_array_equal(ours.cells, theirs.cells)
    assert replace(ours, cells=theirs.cells) == theirs


def test_of_a_run_from_its_beginning(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus))
    run = only_run(runs)
    index = index_of(run)
    assert [entry.step for entry in index.entries] == [2, 4, 6, 8, 10, 12]
    assert_same(index, made_anew(run))


def test_of_a_run_that_was_killed_and_taken_up(corpus: Path, runs: Path) -> None:
    """Of what was taken again there is one place, where it was taken again."""
    run_to_end(small_config(corpus, eval_every=100), stop_after(5, save=False))  # the last checkpoint is of step 3
    run = only_run(runs)
    Resumed(run).run()
    index = index_of(run)
    assert [entry.step for entry in index.entries] == [2, 4, 6, 8, 10, 12]
    assert_same(index, made_anew(run))


def test_nothing_is_written_for_it_before_the_files_of_the_run_are_open(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that is nearly full it would take their room."""
    run_to_end(small_config(corpus), stop_after(5))
    run = only_run(runs)
    (run.path / INDEX).unlink()
    session = Resumed(run)
    kept, journals_open = Folder.replace, []

    def look(self: Folder, name: str, data: bytes) -> None:
        if name == INDEX:
            journals_open.append(session._index is not None)
        kept(self, name, data)

    monkeypatch.setattr(Folder, "replace", look)
    session.run()
    assert journals_open and all(journals_open)


def test_of_a_run_whose_directory_takes_no_index(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It trains all the same."""
    kept = Folder.replace

    def refuse(self: Folder, name: str, data: bytes) -> None:
        if name == INDEX:
            raise OSError(28, "No space left on device")
        kept(self, name, data)

    monkeypatch.setattr(Folder, "replace", refuse)
    session = run_to_end(small_config(corpus))
    assert session.snapshot().step == 12
    assert not (only_run(runs).path / INDEX).exists()
