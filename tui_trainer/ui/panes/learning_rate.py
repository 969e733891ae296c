"""The learning-rate pane: the learning rates of the past steps, and the planned ones."""

import numpy as np

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.history.curve import EMPTY_CURVE, Curve, exact_curve
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.charts.plot import Line, Plot, Point
from tui_trainer.ui.charts.series import between, finite_range
from tui_trainer.ui.numbers import UNKNOWN, scientific
from tui_trainer.ui.panes.chart_pane import ChartPane
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View

POINTS = 400
"""Points of the curve of planned rates."""


def rate_plot(view: View) -> Plot | None:
    """The rates over the steps. A step's rate is drawn at its end, so that a run of n steps has rates from 1 to n."""
    step, schedule, rate, used = view.snapshot.step, view.snapshot.schedule, rate_now(view.snapshot), view.curve("lr")
    ahead = planned(schedule, step) if schedule else EMPTY_CURVE
    points = [] if rate is None else [Point(step, rate, "here")]
    start, end = view.window
    if view.options.viewport.shows_all:
        start, end = 0, schedule.steps if schedule else step
    now = np.array([point.value for point in points if start <= step <= end])
    limits = finite_range(between(used, start, end).high, between(ahead, start, end).high, now)
    if limits is None:
        return None
    lines = [Line(ahead, "future", whole=False), Line(used, "bright")]
    return Plot(start, end, 0, limits[1], lines=lines, points=points)


def rate_now(snapshot: Snapshot) -> float | None:
    """The rate of the last step, or the planned one before the first; None where neither is known."""
    if snapshot.last_step is not None:
        return snapshot.last_step.lr
    return snapshot.schedule.at(snapshot.step) if snapshot.schedule else None


def planned(schedule: Schedule, step: int) -> Curve:
    """The rates of the steps after `step`, each at the step's end."""
    corners = [schedule.warmup, schedule.until, schedule.until + 1]
    ends = np.unique(np.concatenate((np.linspace(step + 1, schedule.steps, POINTS), corners)).astype(int))
    ends = ends[(ends > step) & (ends <= schedule.steps)]
    return exact_curve(ends.astype(float), np.array([schedule.at(int(end) - 1) for end in ends]))


class LearningRatePane(ChartPane):
    TITLE, SHORT = "Learning rate", "Rate"
    HELP = (
        "How large the steps are: bright is what was used, dim the plan, and the dot is now. It warms up first, "
        "because random weights give wild gradients, and sinks at the end, to settle."
    )
    PLOTS = (rate_plot,)
    EMPTY = "The plan is drawn when the run starts."

    def numbers(self, view: View) -> list[Part]:
        snapshot = view.snapshot
        schedule, rate = snapshot.schedule, rate_now(snapshot)
        if view.options.cursor is not None:
            rate = view.value("lr")
        return [
            part(UNKNOWN, priority=3) if rate is None else part(scientific(rate), "$text-primary", 3),
            part(schedule.kind if schedule else "", "$foreground-muted", 1),
            part(phase(schedule, snapshot.step, snapshot.state) if schedule else "", "$foreground-muted", 2),
        ]

    def depends_on(self, view: View) -> object:
        snapshot, schedule = view.snapshot, view.snapshot.schedule
        place = snapshot.step * POINTS // max(1, schedule.steps) if schedule else snapshot.step
        return schedule, place, len(snapshot.marks)


def phase(schedule: Schedule, step: int, state: str) -> str:
    """The phase of the schedule after `step` steps, in words; empty while loading, which may change the schedule."""
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
