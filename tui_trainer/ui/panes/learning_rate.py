"""The learning-rate pane: the whole planned schedule, and where the run is on it."""

from collections.abc import Sequence

import numpy as np
from textual.app import ComposeResult

from tui_trainer.run.schedules import Schedule
from tui_trainer.run.state import Snapshot
from tui_trainer.ui.chart import Chart
from tui_trainer.ui.charts import Line, Mark, Plot
from tui_trainer.ui.curves import curve_of
from tui_trainer.ui.fit import part
from tui_trainer.ui.numbers import UNKNOWN, scientific
from tui_trainer.ui.panes.pane import Pane, at_rest, flags
from tui_trainer.ui.wishes import Wishes

POINTS = 400
"""Points that the schedule is drawn with."""


class LearningRatePane(Pane):
    TITLE, SHORT, NUMBER = "Learning rate", "Rate", 3
    HELP = (
        "How large the steps are: the whole plan is drawn from the start, and the dot is now. It warms up first, "
        "because random weights give wild gradients, and sinks at the end, to settle."
    )

    def __init__(self) -> None:
        super().__init__()
        self._chart = Chart("The plan is drawn when the run starts.")

    def compose(self) -> ComposeResult:
        yield self._chart

    def draw(self, snapshot: Snapshot, wishes: Wishes) -> None:
        schedule, run = snapshot.schedule, snapshot.run
        if schedule is None or run is None:
            self.summarise(part(UNKNOWN))
            return
        rate = snapshot.last_step.lr if snapshot.last_step else schedule.at(snapshot.step)
        self.summarise(
            part(scientific(rate), "$text-primary", 3),
            part(run.schedule, "$foreground-muted", 1),
            part(phase(schedule, snapshot.step), "$foreground-muted", 2),
        )
        key = (run, snapshot.step * POINTS // run.steps, len(snapshot.marks))
        self._chart.show(key, lambda: rate_plot(schedule, snapshot.step, flags(snapshot)), at_once=at_rest(snapshot))


def phase(schedule: Schedule, step: int) -> str:
    """Where in its plan a run is."""
    if step < schedule.warmup:
        return f"warmup {step:,}/{schedule.warmup:,}"
    if step >= schedule.steps:
        return "done"
    if schedule.at(step + 1) < schedule.at(step):
        return "decaying"
    return "warmup done" if schedule.warmup else "steady"


def rate_plot(schedule: Schedule, step: int, flagged: Sequence[float] = ()) -> Plot:
    steps = np.unique(np.linspace(0, max(1, schedule.steps), POINTS).astype(int))
    steps = np.unique(np.concatenate((steps, [min(step, schedule.steps), schedule.warmup])))
    rates = np.array([schedule.at(int(at)) for at in steps])
    past = steps <= step
    lines = [
        Line(curve_of(steps.astype(float), rates), "future"),
        Line(curve_of(steps[past].astype(float), rates[past]), "bright"),
    ]
    here = Mark(step, schedule.at(step), "here")
    return Plot(0, schedule.steps, 0, float(rates.max()), lines=lines, marks=[here], flags=flagged)
