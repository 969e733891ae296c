"""The norms pane: gradient and weight norm, each on its own axis."""

from tui_trainer.ui.charts.plot import Line, Plot, Rule
from tui_trainer.ui.charts.series import between, finite_range, quantile_limits
from tui_trainer.ui.numbers import significant
from tui_trainer.ui.panes.chart_pane import ChartPane, limiting_steps
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View

HEADROOM = 1.25
"""The gradient's axis reaches this many times the clip."""


def gradient_plot(view: View) -> Plot | None:
    snapshot, gradient = view.snapshot, view.curve("grad_norm")
    limits = finite_range(quantile_limits(between(gradient, *limiting_steps(view))))
    if limits is None:
        return None
    clip = (snapshot.run.plan.clip if snapshot.run else None) or 0
    rules = [Rule(clip, f"clip {clip:g}")] if clip else []
    lines = [Line(gradient, "raw", band=True), Line(gradient, "bright")]
    high = max(limits[1], clip * HEADROOM)
    return Plot(*view.window, 0, high, lines=lines, rules=rules, step_axis=False)


def weight_plot(view: View) -> Plot | None:
    weight = view.curve("weight_norm")
    limits = finite_range(between(weight, *view.window).mean)
    return Plot(*view.window, *limits, lines=[Line(weight, "third")]) if limits else None


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
        gradient, weight = (step.grad_norm, step.weight_norm) if step else (None, None)
        if view.options.cursor is not None:
            gradient, weight = view.value("grad_norm"), view.value("weight_norm")
        return [
            part(f"grad {significant(gradient)}", "$text-primary", 3),
            part(_clip(view), "$foreground-muted", 1),
            part(f"weight {significant(weight)}", "$text-success", 2),
        ]


def _clip(view: View) -> str:
    run = view.snapshot.run
    if run is None or run.plan.clip is None:
        return ""
    return f"(clip {run.plan.clip:g})" if run.plan.clip else "(no clip)"
