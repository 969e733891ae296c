"""Fixtures of the end-to-end tests: a small corpus, and the run that is made from it."""

import random
from pathlib import Path

import pytest

SECONDS = 180
"""Timeout of a test of the whole program."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    chooser = random.Random(1)
    words = ["a", "the", "fox", "owl", "sees", "finds", "old", "red", "moon", "river", "and", "then", "sleeps"]
    path = tmp_path / "woods.txt"
    path.write_text(" ".join(chooser.choices(words, k=4000)) + ".\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def runs_in_working_directory(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the default runs directory, ./runs."""
    monkeypatch.delenv("TUI_TRAINER_RUNS")


@pytest.fixture
def run(corpus: Path) -> Path:
    return corpus.parent / "runs" / "woods"
