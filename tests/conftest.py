"""What every test shares: one thread, places of its own, and an end of all that it started."""

import os

# Before torch is imported, here or in a subprocess: parallel tests share the cores. What depends on it says so itself.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import processes
from tests.waiting import TIMEOUT
from tui_trainer.corpus import sources


def pytest_configure(config: pytest.Config) -> None:
    """Have a guard that outlives this process, once for all workers."""
    if not hasattr(config, "workerinput"):
        session = os.environ[processes.SESSION] = uuid.uuid4().hex
        guard = processes.start_guard(session)
        config.add_cleanup(lambda: guard.communicate(timeout=TIMEOUT))


@pytest.fixture(autouse=True)
def nothing_is_left_alive(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trainers outlive their terminals, but not their test."""
    test, older = uuid.uuid4().hex, frozenset(psutil.pids())
    monkeypatch.setenv(processes.TEST, test)
    yield
    assert processes.end(processes.TEST, test, older), "a process of this test cannot be ended"


@pytest.fixture(autouse=True)
def runs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's runs go; nothing is written in the repository or the home directory."""
    folder = tmp_path_factory.mktemp("places")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder / "runs"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder / "runs"


@pytest.fixture(autouse=True)
def unread_standard_input() -> Iterator[None]:
    sources._read_standard_input.cache_clear()
    yield
    sources._read_standard_input.cache_clear()
