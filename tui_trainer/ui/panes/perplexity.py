"""The perplexity pane: exp of the training and validation loss, on a logarithmic axis."""

import numpy as np

from tui_trainer.analysis.perplexity import perplexity, perplexity_in_words
from tui_trainer.history.curve import Curve
from tui_trainer.ui.charts.plot import Line, Plot, Rule
from tui_trainer.ui.charts.series import between, finite_range
from tui_trainer.ui.numbers import significant
from tui_trainer.ui.panes.chart_pane import ChartPane
from tui_trainer.ui.panes.validation import (
    ValidationCurves,
    read_validation,
    validation_curves,
    validation_lines,
)
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View


def perplexity_plot(view: View) -> Plot | None:
    trained, validation = _perplexity(view.curve(view.smoothed_metric)), _perplexities(validation_curves(view))
    limits = finite_range(between(trained, *view.window).mean, *validation.means(*view.window))
    if limits is None:
        return None
    (low, high), run = limits, view.snapshot.run
    rules = []
    if run and (tokens := run.model.vocab_size):
        high = max(high, tokens) if view.options.viewport.shows_all else high
        rules = [Rule(tokens, f"guessing {tokens:,}")]
    lines = [*validation_lines(validation), Line(trained, "bright")]
    return Plot(*view.window, low, high, lines=lines, rules=rules, log=True)


def _perplexities(losses: ValidationCurves) -> ValidationCurves:
    return ValidationCurves(*(_perplexity(curve) for curve in vars(losses).values()))


def _perplexity(loss: Curve) -> Curve:
    """exp of each value; the mean, as that of the losses, is the geometric mean of the perplexities."""
    with np.errstate(over="ignore"):
        return Curve(loss.steps, np.exp(loss.low), np.exp(loss.high), np.exp(loss.mean), loss.count)


class PerplexityPane(ChartPane):
    TITLE, SHORT = "Perplexity", "Perplexity"
    HELP = (
        "Among how many equally likely tokens the model hesitates: bright in training, orange on the validation text. "
        "The dashed line is plain guessing, which is the size of the vocabulary; 1 would be certainty. The axis is "
        "logarithmic."
    )
    PLOTS = (perplexity_plot,)

    def numbers(self, view: View) -> list[Part]:
        """The words are for the text that the model never trains on, where there is a validation of it."""
        pointing = view.options.cursor is not None
        loss = view.value(view.smoothed_metric) if pointing else view.snapshot.smoothed_loss
        trained, validated = None if loss is None else perplexity(loss), _validation(view)
        judged = trained if validated is None else validated
        return [
            part(f"train {significant(trained)}", "$text-primary", 3),
            part(f"val {significant(validated)}", "$text-warning", 2),
            part("" if judged is None else perplexity_in_words(judged), "$foreground-muted", 1),
        ]


def _validation(view: View) -> float | None:
    """Under the cursor, or of the last evaluation of all."""
    if view.options.cursor is not None:
        loss = read_validation(view).loss
    else:
        loss = evaluation.val_loss if (evaluation := view.snapshot.last_evaluation) else None
    return None if loss is None else perplexity(loss)
