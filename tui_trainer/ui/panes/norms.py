"""The norms pane: gradient and weight norm, each on its own axis."""

from textual.app import ComposeResult

from tui_trainer.state.run_state import Snapshot
from tui_trainer.ui.charts.layout import Line, Plot, Rule
from tui_trainer.ui.charts.series import bulk, finite_range, first_step, settled
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.numbers import significant
from tui_trainer.ui.panes.pane import Pane, at_rest, chart_key, curve, flags
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.text_fit import part

HEADROOM = 1.25
"""The gradient's axis reaches this many times the clip."""


class NormsPane(Pane):
    TITLE, SHORT, NUMBER = "Norms", "Norms", 4
    HELP = (
        "Above, the length of the gradient before clipping, with the clip as a dashed line: a spike is a hard batch, "
        "a rise that stays means trouble. Below, the length of all weights together, which grows as the model learns."
    )

    def __init__(self) -> None:
        super().__init__()
        self._gradient = Chart("The curves begin with the first step.")
        self._weight = Chart("", id="weight-chart")

    def compose(self) -> ComposeResult:
        yield self._gradient
        yield self._weight

    def draw(self, snapshot: Snapshot, pending: PendingCommands) -> None:
        step = snapshot.last_step
        self.summarise(
            part(f"grad {significant(step.grad_norm if step else None)}", "$text-primary", 3),
            part(_clip(snapshot), "$foreground-muted", 1),
            part(f"weight {significant(step.weight_norm if step else None)}", "$text-success", 2),
        )
        self._gradient.show(chart_key(snapshot), lambda: gradient_plot(snapshot), at_once=at_rest(snapshot))
        self._weight.show(chart_key(snapshot), lambda: weight_plot(snapshot), at_once=at_rest(snapshot))


def _clip(snapshot: Snapshot) -> str:
    if snapshot.run is None:
        return ""
    return f"(clip {snapshot.run.clip:g})" if snapshot.run.clip else "(no clip)"


def gradient_plot(snapshot: Snapshot) -> Plot | None:
    gradient = curve(snapshot, "grad_norm")
    limits = finite_range(bulk(settled(gradient, snapshot.step)))
    if limits is None:
        return None
    clip = snapshot.run.clip if snapshot.run else 0
    rules = [Rule(clip, f"clip {clip:g}")] if clip else []
    lines = [Line(gradient, "raw", band=True), Line(gradient, "bright")]
    start, high = first_step(gradient), max(limits[1], clip * HEADROOM)
    return Plot(start, snapshot.step, 0, high, lines=lines, rules=rules, step_axis=False)


def weight_plot(snapshot: Snapshot) -> Plot | None:
    weight = curve(snapshot, "weight_norm")
    limits = finite_range(weight.mean)
    if limits is None:
        return None
    return Plot(first_step(weight), snapshot.step, *limits, lines=[Line(weight, "third")], flags=flags(snapshot))
