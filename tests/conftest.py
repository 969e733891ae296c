"""Fixtures of every test: one thread, directories of its own, and the end of every process it started."""

import os

# Before torch is imported, here or in a subprocess: parallel tests share the cores. What depends on it says so itself.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import processes
from tests.waiting import TIMEOUT
from tui_trainer.corpus import sources


def pytest_configure(config: pytest.Config) -> None:
    """Start the reaper, which outlives this process, once for all workers."""
    if not hasattr(config, "workerinput"):
        session = os.environ[processes.SESSION] = uuid.uuid4().hex
        reaper = processes.start_reaper(session)
        config.add_cleanup(lambda: reaper.communicate(timeout=TIMEOUT))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker that has nothing left to do takes over what another has not begun, whatever the command line."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True)
def no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what the test started, such as detached trainers."""
    test, older = uuid.uuid4().hex, frozenset(psutil.pids())
    monkeypatch.setenv(processes.TEST, test)
    yield
    assert processes.end(processes.TEST, test, older), "a process of this test cannot be ended"


@pytest.fixture(autouse=True)
def runs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs directory of this test; nothing is written in the repository or the home directory."""
    folder = tmp_path_factory.mktemp("places")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder / "runs"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    return folder / "runs"


@pytest.fixture(autouse=True)
def unread_standard_input() -> Iterator[None]:
    sources._read_standard_input.cache_clear()
    yield
    sources._read_standard_input.cache_clear()
