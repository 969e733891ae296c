"""A corpus small enough to learn in a moment, and a machine that need not be measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.unit.training.helpers import TEXT, TIMINGS
from tui_trainer.training import decision_maker, preparation


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """A run sets the number of threads of its process, which other tests share."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs begin at once, are planned alike however busy the machine is, and evaluate nothing when there is time."""
    monkeypatch.setattr(preparation, "measure", lambda *_: (TIMINGS, ""))
    monkeypatch.setattr(preparation, "planned_timings", lambda *_: TIMINGS)
    monkeypatch.setattr(decision_maker, "QUICK_SHARE", 0.0)
