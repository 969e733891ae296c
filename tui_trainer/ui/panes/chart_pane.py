"""A pane of charts, redrawn when their data has changed."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult

from tui_trainer.ui.charts.layout import Plot
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.panes.pane import Pane
from tui_trainer.ui.text_fit import Part
from tui_trainer.ui.view import View


class ChartPane(Pane):
    """`PLOTS` make its charts, from the top, from a view; each returns None while there is nothing to draw."""

    PLOTS: ClassVar[tuple[Callable[[View], Plot | None], ...]]
    EMPTY: ClassVar[str] = "The curve begins with the first step."
    """Shown instead of the first chart until it has data."""

    def __init__(self) -> None:
        super().__init__()
        self._charts = [
            Chart("" if number else self.EMPTY, id=f"{self.id}-{number}") for number in range(len(self.PLOTS))
        ]

    def compose(self) -> ComposeResult:
        yield from self._charts

    def draw(self, view: View) -> None:
        self.summarise(*self.numbers(view))
        for chart, plot in zip(self._charts, self.PLOTS, strict=True):
            chart.show(self.depends_on(view), lambda plot=plot: plot(view), at_once=view.is_idle)  # type: ignore[misc]

    def numbers(self, view: View) -> list[Part]:
        """What is shown at the right end of the title."""
        raise NotImplementedError

    def depends_on(self, view: View) -> object:
        """A key of the charts' data: they are redrawn when it changes."""
        snapshot, evaluation = view.snapshot, view.snapshot.last_evaluation
        return snapshot.run is not None, snapshot.step, evaluation and evaluation.step, len(snapshot.marks)
