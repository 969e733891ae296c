"""The loss pane: raw, smoothed and validation loss over the steps."""

from tui_trainer.ui.charts.layout import Line, Plot
from tui_trainer.ui.charts.series import finite_range, first_step, quantile_limits, without_start
from tui_trainer.ui.numbers import fixed
from tui_trainer.ui.panes.chart_pane import ChartPane
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View


def loss_plot(view: View) -> Plot | None:
    raw, smoothed, validation = (view.curve(metric) for metric in ("loss", "smoothed_loss", "val_loss"))
    step = view.snapshot.step
    ends = [without_start(curve, step) for curve in (raw, smoothed, validation)]
    limits = finite_range(quantile_limits(ends[0]), ends[1].mean, ends[2].mean)
    if limits is None:
        return None
    lines = [Line(raw, "raw", band=True), Line(validation, "second", dotted=True), Line(smoothed, "bright")]
    return Plot(first_step(raw, validation), step, *limits, lines=lines, flags=view.marked_steps)


class LossPane(ChartPane):
    TITLE, SHORT = "Loss", "Loss"
    HELP = (
        "How surprised the model is by each next token, in nats: dim is every step, bright the smoothed course, "
        "orange the validation text, which it never trains on. When validation rises while training falls, it "
        "overfits. The steep beginning runs off the top, so that the rest can be read."
    )
    PLOTS = (loss_plot,)

    def numbers(self, view: View) -> list[Part]:
        snapshot = view.snapshot
        evaluation, best = snapshot.last_evaluation, snapshot.best_evaluation
        return [
            part(f"train {fixed(snapshot.smoothed_loss)}", "$text-primary", 3),
            part(f"val {fixed(evaluation.val_loss if evaluation else None)}", "$text-warning", 2),
            part(f"best {fixed(best.val_loss if best else None)}", "$foreground-muted", 1),
        ]
