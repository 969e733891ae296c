"""A screen without clocks: charts are drawn whenever they are asked to be, and time stands still."""

import pytest

from tui_trainer.ui import app
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.clock import RunningClock


@pytest.fixture(autouse=True)
def no_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RunningClock", lambda: RunningClock(now=lambda: 0.0))
    for pace in ("shortest_interval", "longest_interval", "spacing"):
        monkeypatch.setattr(Chart, pace, 0.0)
