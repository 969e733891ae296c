"""The loss pane: raw, smoothed and validation loss over the steps."""

from tui_trainer.ui.charts.options import RAW
from tui_trainer.ui.charts.plot import Line, Plot
from tui_trainer.ui.charts.series import between, finite_range, quantile_limits
from tui_trainer.ui.numbers import fixed
from tui_trainer.ui.panes.chart_pane import ChartPane, limiting_steps
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View


def loss_plot(view: View) -> Plot | None:
    raw, smoothed, validation = (view.curve(metric) for metric in ("loss", view.smoothed_metric, "val_loss"))
    seen = [between(curve, *limiting_steps(view)) for curve in (raw, smoothed, validation)]
    limits = finite_range(quantile_limits(seen[0]), seen[1].mean, seen[2].mean)
    if limits is None:
        return None
    lines = [Line(raw, "raw", band=True), Line(validation, "second", dotted=True), Line(smoothed, "bright")]
    return Plot(*view.window, *limits, lines=lines if view.options.smoothing != RAW else lines[:2])


class LossPane(ChartPane):
    TITLE, SHORT = "Loss", "Loss"
    HELP = (
        "How surprised the model is by each next token, in nats: dim is every step, bright the smoothed course, "
        "orange the validation text, which it never trains on. When validation rises while training falls, it "
        "overfits. What runs off the top or the bottom has a mark there with its value."
    )
    PLOTS = (loss_plot,)

    def numbers(self, view: View) -> list[Part]:
        snapshot = view.snapshot
        evaluation, best = snapshot.last_evaluation, snapshot.best_evaluation
        if view.options.cursor is not None:
            return [
                part(f"step {fixed(view.value('loss'), 3)}", "bold $foreground", 4),
                part(f"train {fixed(view.value(view.smoothed_metric), 3)}", "$text-primary", 3),
                part(f"val {fixed(view.value('val_loss'), 3)}", "$text-warning", 2),
            ]
        return [
            part(f"train {fixed(snapshot.smoothed_loss)}", "$text-primary", 3),
            part(f"val {fixed(evaluation.val_loss if evaluation else None)}", "$text-warning", 2),
            part(f"best {fixed(best.val_loss if best else None)}", "$foreground-muted", 1),
        ]
