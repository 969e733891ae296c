"""The perplexity pane: among how many tokens the model hesitates, on a logarithmic axis."""

import numpy as np
from textual.app import ComposeResult

from tui_trainer.analysis.perplexity import perplexity, perplexity_in_words
from tui_trainer.history.curve import Curve
from tui_trainer.state.run_state import Snapshot
from tui_trainer.ui.charts.layout import Line, Plot, Rule
from tui_trainer.ui.charts.series import finite_range, first_step
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.numbers import significant
from tui_trainer.ui.panes.pane import Pane, at_rest, chart_key, curve, flags
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.text_fit import part


class PerplexityPane(Pane):
    TITLE, SHORT, NUMBER = "Perplexity", "Perplexity", 2
    HELP = (
        "Among how many equally likely tokens the model hesitates. The dashed line is plain guessing, which is the "
        "size of the vocabulary; 1 would be certainty. The axis is logarithmic."
    )

    def __init__(self) -> None:
        super().__init__()
        self._chart = Chart("The curve begins with the first step.")

    def compose(self) -> ComposeResult:
        yield self._chart

    def draw(self, snapshot: Snapshot, pending: PendingCommands) -> None:
        loss = snapshot.smoothed_loss
        value = None if loss is None else perplexity(loss)
        words = "" if value is None else f"“{perplexity_in_words(value)}”"
        self.summarise(part(significant(value), "$text-primary", 2), part(words, "$foreground-muted", 1))
        self._chart.show(chart_key(snapshot), lambda: perplexity_plot(snapshot), at_once=at_rest(snapshot))


def perplexity_plot(snapshot: Snapshot) -> Plot | None:
    trained, validation = (_perplexity(curve(snapshot, loss)) for loss in ("smoothed_loss", "val_loss"))
    limits = finite_range(trained.mean, validation.mean)
    if limits is None:
        return None
    low, high = limits
    rules = []
    if snapshot.run:
        high = max(high, snapshot.run.vocab_size)
        rules = [Rule(snapshot.run.vocab_size, f"guessing {snapshot.run.vocab_size:,}")]
    lines = [Line(validation, "second", dotted=True), Line(trained, "bright")]
    start = first_step(trained, validation)
    return Plot(start, snapshot.step, low, high, lines=lines, rules=rules, flags=flags(snapshot), log=True)


def _perplexity(loss: Curve) -> Curve:
    """The mean is that of the losses, so a geometric one."""
    with np.errstate(over="ignore"):
        return Curve(loss.steps, np.exp(loss.low), np.exp(loss.high), np.exp(loss.mean), loss.count)
