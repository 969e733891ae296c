"""A corpus small enough to learn in a moment."""

from pathlib import Path

import pytest

from tests.unit.training.helpers import TEXT


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path
