"""The learning-rate pane: the rates that were used, and those that are planned."""

import numpy as np
from textual.app import ComposeResult

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.history.curve import Curve, exact_curve
from tui_trainer.state.run_state import Snapshot
from tui_trainer.ui.charts.layout import Line, Mark, Plot
from tui_trainer.ui.charts.series import finite_range
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.numbers import UNKNOWN, scientific
from tui_trainer.ui.panes.pane import Pane, at_rest, curve, flags
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.text_fit import part

POINTS = 400
"""Points that the plan is drawn with."""


class LearningRatePane(Pane):
    TITLE, SHORT, NUMBER = "Learning rate", "Rate", 3
    HELP = (
        "How large the steps are: bright is what was used, dim the plan, and the dot is now. It warms up first, "
        "because random weights give wild gradients, and sinks at the end, to settle."
    )

    def __init__(self) -> None:
        super().__init__()
        self._chart = Chart("The plan is drawn when the run starts.")

    def compose(self) -> ComposeResult:
        yield self._chart

    def draw(self, snapshot: Snapshot, pending: PendingCommands) -> None:
        schedule, run = snapshot.schedule, snapshot.run
        if schedule is None or run is None:
            self.summarise(part(UNKNOWN))
            return
        rate = snapshot.last_step.lr if snapshot.last_step else schedule.at(snapshot.step)
        self.summarise(
            part(scientific(rate), "$text-primary", 3),
            part(run.schedule, "$foreground-muted", 1),
            part(phase(schedule, snapshot.step, snapshot.state), "$foreground-muted", 2),
        )
        key = (schedule, snapshot.step * POINTS // max(1, schedule.steps), len(snapshot.marks))
        self._chart.show(key, lambda: rate_plot(snapshot), at_once=at_rest(snapshot))


def phase(schedule: Schedule, step: int, state: str) -> str:
    """Where in its plan a run is that has taken `step` steps; empty while it may still get another plan."""
    if state == "loading":
        return ""
    if state == "finished" or step >= schedule.steps:
        return "done"
    if schedule.factor_at(step) != 1:
        return f"×{schedule.factor:g} until {schedule.until:,}"
    if step < schedule.warmup:
        return f"warmup {step:,}/{schedule.warmup:,}"
    before, now, after = (schedule.at(max(0, at)) for at in (step - 1, step, step + 1))
    if after < now or (step > schedule.warmup and now < before):
        return "decaying"
    return "warmup done" if schedule.warmup else "steady"


def rate_plot(snapshot: Snapshot) -> Plot | None:
    """A step's rate is drawn where the step ends, so that a run of n steps has rates from 1 to n."""
    schedule = snapshot.schedule
    if schedule is None:
        return None
    used, ahead = curve(snapshot, "lr"), planned(schedule, snapshot.step)
    last = snapshot.last_step
    here = Mark(last.step, last.lr, "here") if last else Mark(snapshot.step, schedule.at(snapshot.step), "here")
    lines = [Line(ahead, "future"), Line(used, "bright")]
    _, high = finite_range(used.high, ahead.high, np.array([here.value])) or (0.0, 1.0)
    return Plot(0, schedule.steps, 0, high, lines=lines, marks=[here], flags=flags(snapshot))


def planned(schedule: Schedule, step: int) -> Curve:
    """The rates of the steps after `step`, each at the step's end."""
    corners = [schedule.warmup, schedule.until, schedule.until + 1]
    ends = np.unique(np.concatenate((np.linspace(step + 1, schedule.steps, POINTS), corners)).astype(int))
    ends = ends[(ends > step) & (ends <= schedule.steps)]
    return exact_curve(ends.astype(float), np.array([schedule.at(int(end) - 1) for end in ends]))
