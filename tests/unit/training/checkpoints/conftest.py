"""Fixtures of the tests of checkpoints."""

from pathlib import Path

import pytest

from tests.unit.training.checkpoints.saving import Saver


@pytest.fixture
def saver(tmp_path: Path) -> Saver:
    return Saver(tmp_path / "run" / "checkpoints")
