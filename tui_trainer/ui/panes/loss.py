"""The loss pane: raw, smoothed and validation loss over the steps."""

from tui_trainer.ui.charts.options import RAW
from tui_trainer.ui.charts.plot import Line, Plot
from tui_trainer.ui.charts.series import between, finite_range, quantile_limits
from tui_trainer.ui.numbers import fixed
from tui_trainer.ui.panes.chart_pane import ChartPane, limiting_steps
from tui_trainer.ui.panes.validation import ValidationReading, read_validation, validation_curves, validation_lines
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View


def loss_plot(view: View) -> Plot | None:
    raw, smoothed = (view.curve(metric) for metric in ("loss", view.smoothed_metric))
    validation, limiting = validation_curves(view), limiting_steps(view)
    seen = [between(curve, *limiting) for curve in (raw, smoothed)]
    limits = finite_range(quantile_limits(seen[0]), seen[1].mean, *validation.means(*limiting))
    if limits is None:
        return None
    lines = [Line(raw, "raw", band=True), *validation_lines(validation), Line(smoothed, "bright")]
    return Plot(*view.window, *limits, lines=lines if view.options.smoothing != RAW else lines[:-1])


def _validation(reading: ValidationReading) -> str:
    if reading.error is None:
        return f"val {fixed(reading.loss, 3)}"
    return f"val {fixed(reading.loss)} ±{fixed(reading.error)}"


class LossPane(ChartPane):
    TITLE, SHORT = "Loss", "Loss"
    HELP = (
        "How surprised the model is by each next token, in nats: dim is every step, bright the smoothed course, "
        "orange the validation text, which it never trains on: dots are of all of it, the line of a fixed sample, "
        "within its standard error. When validation rises while training falls, it overfits. What runs off the top or "
        "the bottom has a mark there with its value."
    )
    PLOTS = (loss_plot,)

    def numbers(self, view: View) -> list[Part]:
        snapshot = view.snapshot
        evaluation, best = snapshot.last_evaluation, snapshot.best_evaluation
        if view.options.cursor is not None:
            return [
                part(f"raw {fixed(view.value('loss'), 3)}", "bold $foreground", 4),
                part(f"train {fixed(view.value(view.smoothed_metric), 3)}", "$text-primary", 3),
                part(_validation(read_validation(view)), "$text-warning", 2),
            ]
        return [
            part(f"train {fixed(snapshot.smoothed_loss)}", "$text-primary", 3),
            part(f"val {fixed(evaluation.val_loss if evaluation else None)}", "$text-warning", 2),
            part(f"best {fixed(best.val_loss if best else None)}", "$foreground-muted", 1),
        ]
