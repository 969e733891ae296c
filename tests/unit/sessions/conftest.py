"""Fixtures of the tests of sessions: the directory of a run, and what trains it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.run.test_lock import held
from tests.unit.sessions.control.peers import Trainer
from tui_trainer.run.directory import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


@pytest.fixture
def trainer(run: RunDirectory) -> Iterator[Trainer]:
    with held(run):
        trainer = Trainer(run.path)
        yield trainer
        trainer.control.close()
