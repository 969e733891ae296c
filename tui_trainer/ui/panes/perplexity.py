"""The perplexity pane: exp of the training and validation loss, on a logarithmic axis."""

import numpy as np

from tui_trainer.analysis.perplexity import perplexity, perplexity_in_words
from tui_trainer.history.curve import Curve
from tui_trainer.ui.charts.plot import Line, Plot, Rule
from tui_trainer.ui.charts.series import between, finite_range
from tui_trainer.ui.numbers import significant
from tui_trainer.ui.panes.chart_pane import ChartPane
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View


def perplexity_plot(view: View) -> Plot | None:
    trained, validation = _perplexity(view.curve(view.smoothed_metric)), _perplexity(view.curve("val_loss"))
    limits = finite_range(*(between(curve, *view.window).mean for curve in (trained, validation)))
    if limits is None:
        return None
    (low, high), run = limits, view.snapshot.run
    rules = []
    if run and (tokens := run.model.vocab_size):
        high = max(high, tokens) if view.options.viewport.shows_all else high
        rules = [Rule(tokens, f"guessing {tokens:,}")]
    lines = [Line(validation, "second", dotted=True), Line(trained, "bright")]
    return Plot(*view.window, low, high, lines=lines, rules=rules, log=True)


def _perplexity(loss: Curve) -> Curve:
    """exp of each value; the mean, as that of the losses, is the geometric mean of the perplexities."""
    with np.errstate(over="ignore"):
        return Curve(loss.steps, np.exp(loss.low), np.exp(loss.high), np.exp(loss.mean), loss.count)


class PerplexityPane(ChartPane):
    TITLE, SHORT = "Perplexity", "Perplexity"
    HELP = (
        "Among how many equally likely tokens the model hesitates. The dashed line is plain guessing, which is the "
        "size of the vocabulary; 1 would be certainty. The axis is logarithmic."
    )
    PLOTS = (perplexity_plot,)

    def numbers(self, view: View) -> list[Part]:
        """The words are for the text that the model never trains on, where there is a validation of it."""
        snapshot, evaluation = view.snapshot, view.snapshot.last_evaluation
        losses = snapshot.smoothed_loss, evaluation.val_loss if evaluation else None
        if view.options.cursor is not None:
            losses = view.value(view.smoothed_metric), view.value("val_loss")
        trained, validated = (None if loss is None else perplexity(loss) for loss in losses)
        judged = trained if validated is None else validated
        return [
            part(f"train {significant(trained)}", "$text-primary", 3),
            part(f"val {significant(validated)}", "$text-warning", 2),
            part("" if judged is None else perplexity_in_words(judged), "$foreground-muted", 1),
        ]
