"""Screens without clocks: charts are drawn at once, and no time passes between two reports."""

import pytest

from tui_trainer.ui import app
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.clock import RunningClock


@pytest.fixture(autouse=True)
def no_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RunningClock", lambda: RunningClock(now=lambda: 0.0))
    for interval in ("min_interval", "max_interval", "min_gap"):
        monkeypatch.setattr(Chart, interval, 0.0)
