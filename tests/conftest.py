"""What every test shares: one thread, and a cache, a runs directory and a working directory of its own."""

import os

# Before torch is imported, here or in a subprocess: results repeat bit for bit, and parallel tests share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_trainer.corpus import sources


@pytest.fixture(autouse=True)
def runs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's runs go; nothing is written in the repository or the home directory."""
    folder = tmp_path_factory.mktemp("places")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder / "runs"))
    return folder / "runs"


@pytest.fixture(autouse=True)
def unread_standard_input() -> Iterator[None]:
    sources._read_standard_input.cache_clear()
    yield
    sources._read_standard_input.cache_clear()
