"""A small text that a small model trains on at once."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    chooser = random.Random(1)
    words = ["a", "the", "fox", "owl", "sees", "finds", "old", "red", "moon", "river", "and", "then", "sleeps"]
    path = tmp_path / "woods.txt"
    path.write_text(" ".join(chooser.choices(words, k=4000)) + ".\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    """Trainers outlive their terminals, but not their test."""
    yield
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()) == tmp_path:
                process.kill()


@pytest.fixture(autouse=True)
def runs_in_working_directory(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who sets nothing: ./runs."""
    monkeypatch.delenv("TUI_TRAINER_RUNS")
