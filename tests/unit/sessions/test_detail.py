"""The detail of a run, as every session gives it."""

from pathlib import Path

import pytest

from tests.unit.run.journals import write_journal
from tests.unit.state.folded import state, step
from tests.waiting import TIMEOUT
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import RunStarted
from tui_trainer.sessions.detail import load_detail
from tui_trainer.sessions.replay import ReplaySession


def test_a_recording_gives_every_step(tmp_path: Path) -> None:
    write_journal(tmp_path, RunStarted(run="woods"), *map(step, range(1, 101)), state("finished", 1.0))
    session = ReplaySession(RunDirectory(tmp_path))
    detail = session.detail(40, 60).result(TIMEOUT)
    assert detail.window("loss", 0, 100, 1000).steps.tolist() == list(range(40, 61))


def test_a_run_without_a_directory_has_none() -> None:
    with pytest.raises(FileNotFoundError, match="no directory yet"):
        load_detail(None, 1, 2).result(TIMEOUT)


def test_a_journal_that_is_gone_fails_where_it_is_awaited(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        load_detail(tmp_path, 1, 2).result(TIMEOUT)
