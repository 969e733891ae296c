"""What the corpus tests share: a cache of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_trainer.corpus import sources


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def unread_standard_input() -> Iterator[None]:
    sources._read_standard_input.cache_clear()
    yield
    sources._read_standard_input.cache_clear()
