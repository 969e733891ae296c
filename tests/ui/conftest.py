"""Screens without clocks: no time passes between two reports."""

import pytest
from textual import _wait

from tui_trainer.ui import app
from tui_trainer.ui.clock import RunningClock


@pytest.fixture(autouse=True)
def no_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RunningClock", lambda: RunningClock(now=lambda: 0.0))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot takes an app for idle that has computed nothing for 10 ms, not 20."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.01)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.0005)
