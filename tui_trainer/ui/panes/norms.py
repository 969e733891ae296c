"""The norms pane: gradient and weight norm, each on its own axis."""

from tui_trainer.ui.charts.layout import Line, Plot, Rule
from tui_trainer.ui.charts.series import finite_range, first_step, quantile_limits, without_start
from tui_trainer.ui.numbers import significant
from tui_trainer.ui.panes.chart_pane import ChartPane
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View

HEADROOM = 1.25
"""The gradient's axis reaches this many times the clip."""


def gradient_plot(view: View) -> Plot | None:
    snapshot, gradient = view.snapshot, view.curve("grad_norm")
    limits = finite_range(quantile_limits(without_start(gradient, snapshot.step)))
    if limits is None:
        return None
    clip = (snapshot.run.plan.clip if snapshot.run else None) or 0
    rules = [Rule(clip, f"clip {clip:g}")] if clip else []
    lines = [Line(gradient, "raw", band=True), Line(gradient, "bright")]
    start, high = first_step(gradient), max(limits[1], clip * HEADROOM)
    return Plot(start, snapshot.step, 0, high, lines=lines, rules=rules, step_axis=False)


def weight_plot(view: View) -> Plot | None:
    weight = view.curve("weight_norm")
    limits = finite_range(weight.mean)
    if limits is None:
        return None
    start, end = first_step(weight), view.snapshot.step
    return Plot(start, end, *limits, lines=[Line(weight, "third")], flags=view.marked_steps)


class NormsPane(ChartPane):
    TITLE, SHORT = "Norms", "Norms"
    HELP = (
        "Above, the length of the gradient before clipping, with the clip as a dashed line: a spike is a hard batch, "
        "a rise that stays means trouble. Below, the length of all weights together, which grows as the model learns."
    )
    PLOTS = (gradient_plot, weight_plot)
    EMPTY = "The curves begin with the first step."

    def numbers(self, view: View) -> list[Part]:
        step = view.snapshot.last_step
        return [
            part(f"grad {significant(step.grad_norm if step else None)}", "$text-primary", 3),
            part(_clip(view), "$foreground-muted", 1),
            part(f"weight {significant(step.weight_norm if step else None)}", "$text-success", 2),
        ]


def _clip(view: View) -> str:
    run = view.snapshot.run
    if run is None or run.plan.clip is None:
        return ""
    return f"(clip {run.plan.clip:g})" if run.plan.clip else "(no clip)"
