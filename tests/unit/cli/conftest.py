"""Fixtures of the command-line tests: the program, and a small corpus."""

from pathlib import Path

import pytest

from tests.unit.cli.program import TEXT, Program
from tui_trainer.training.planning import calibration


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    return Program(monkeypatch, capfd)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path
