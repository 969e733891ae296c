"""The loss pane: raw, smoothed and validation loss over the steps."""

from textual.app import ComposeResult

from tui_trainer.state.run_state import Snapshot
from tui_trainer.ui.charts.layout import Line, Plot
from tui_trainer.ui.charts.series import bulk, finite_range, first_step, settled
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.numbers import fixed
from tui_trainer.ui.panes.pane import Pane, at_rest, chart_key, curve, flags
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.text_fit import part


class LossPane(Pane):
    TITLE, SHORT, NUMBER = "Loss", "Loss", 1
    HELP = (
        "How surprised the model is by each next token, in nats: dim is every step, bright the smoothed course, "
        "orange the validation text, which it never trains on. When validation rises while training falls, it "
        "overfits. The steep beginning runs off the top, so that the rest can be read."
    )

    def __init__(self) -> None:
        super().__init__()
        self._chart = Chart("The curve begins with the first step.")

    def compose(self) -> ComposeResult:
        yield self._chart

    def draw(self, snapshot: Snapshot, pending: PendingCommands) -> None:
        evaluation, best = snapshot.last_evaluation, snapshot.best_evaluation
        self.summarise(
            part(f"train {fixed(snapshot.smoothed_loss)}", "$text-primary", 3),
            part(f"val {fixed(evaluation.val_loss if evaluation else None)}", "$text-warning", 2),
            part(f"best {fixed(best.val_loss if best else None)}", "$foreground-muted", 1),
        )
        self._chart.show(chart_key(snapshot), lambda: loss_plot(snapshot), at_once=at_rest(snapshot))


def loss_plot(snapshot: Snapshot) -> Plot | None:
    raw, smoothed, validation = (curve(snapshot, name) for name in ("loss", "smoothed_loss", "val_loss"))
    ends = [settled(series, snapshot.step) for series in (raw, smoothed, validation)]
    limits = finite_range(bulk(ends[0]), ends[1].mean, ends[2].mean)
    if limits is None:
        return None
    lines = [Line(raw, "raw", band=True), Line(validation, "second", dotted=True), Line(smoothed, "bright")]
    return Plot(first_step(raw, validation), snapshot.step, *limits, lines=lines, flags=flags(snapshot))
