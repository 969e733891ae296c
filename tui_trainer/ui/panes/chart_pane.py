"""The base class of the panes that show charts, one above the other."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

import numpy as np
from textual.app import ComposeResult
from textual.content import Content

from tui_trainer.state.marks import MarkKind
from tui_trainer.ui.charts.options import STEPS
from tui_trainer.ui.charts.plot import Flag, Line, Plot
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.panes.pane import Pane
from tui_trainer.ui.text_fit import Part, part
from tui_trainer.ui.view import View

FLAGS: Final = {
    MarkKind.EVALUATION: ("e", "axis"),
    MarkKind.CHECKPOINT: ("c", "axis"),
    MarkKind.SETTING: ("s", "here"),
    MarkKind.RESUME: ("r", "here"),
    MarkKind.ALERT: ("!", "limit"),
}
"""The letter of a mark on the step axis, and its colour; of several in one place the last of these is shown."""

PRIORITIES: Final = {kind: number for number, kind in enumerate(FLAGS)}

Plotter = Callable[[View], Plot | None]


class ChartPane(Pane, inherit_bindings=False):
    """`PLOTS` make its charts, from the top, from a view; each returns None while there is nothing to draw."""

    PLOTS: ClassVar[tuple[Plotter, ...]]
    EMPTY: ClassVar[str] = "The curve begins with the first step."
    """Shown instead of the first chart until it has data."""

    def __init__(self) -> None:
        super().__init__()
        self.charts = [
            Chart("" if number else self.EMPTY, id=f"{self.id}-{number}") for number in range(len(self.PLOTS))
        ]

    def compose(self) -> ComposeResult:
        yield from self.charts

    def draw(self, view: View) -> None:
        self.summarise(*self.numbers(view))

    def draw_charts(self, view: View) -> None:
        key = self.depends_on(view), replace(view.options, cursor=None), view.loaded  # the cursor is drawn over it
        for chart, plot in zip(self.charts, self.PLOTS, strict=True):
            chart.show(key, partial(self._plot, plot, view), view.options.cursor)

    def footnotes(self, view: View) -> list[Part]:
        letters = frozenset[str]().union(*(chart.letters for chart in self.charts))
        return footnotes(view, self.NUMBER, self.has_focus, letters)

    @property
    def is_empty(self) -> bool:
        """Whether a chart has not been drawn yet."""
        return any(chart.is_empty for chart in self.charts)

    def _plot(self, make: Plotter, view: View) -> Plot | None:
        """With all that the charts have in common."""
        plot = make(view)
        if plot is None:
            return None
        log = plot.log ^ (self.NUMBER in view.options.other_scale)
        low = plot.low if plot.low > 0 or not log else _least_positive(plot.lines, plot.high)
        unit = view.options.unit if view.positions is not None else STEPS
        plot = replace(plot, low=low, log=log, flags=flags(view), marker=view.options.marker)
        return replace(plot, unit=unit, positions=view.positions)

    def numbers(self, view: View) -> list[Part]:
        """What is shown at the right end of the title: the newest values, or those under the cursor."""
        raise NotImplementedError

    def depends_on(self, view: View) -> object:
        """A key of the charts' data: they are redrawn when it changes."""
        snapshot = view.snapshot
        evaluations = [each and each.step for each in (snapshot.last_evaluation, snapshot.last_quick_evaluation)]
        return snapshot.run is not None, snapshot.step, *evaluations, len(snapshot.marks)


def _least_positive(lines: Sequence[Line], high: float) -> float:
    values = np.concatenate([line.curve.low for line in lines] or [np.empty(0)])
    positive = values[values > 0]
    return float(positive.min()) if len(positive) else high / 10


def flags(view: View) -> list[Flag]:
    return [
        Flag(mark.step, *FLAGS[MarkKind(mark.kind)], PRIORITIES[MarkKind(mark.kind)])
        for mark in view.marks(*view.window)
    ]


def footnotes(view: View, number: int, focused: bool, letters: Collection[str]) -> list[Part]:
    """The `letters` that are seen on the axis and what they mean, then which steps the chart shows.

    Where all charts say the same, the focused one says it for them.
    """
    if not focused:
        default = view.options.viewport.shows_all and number not in view.options.other_scale
        return [] if default else [part(_shown(view, number), "$foreground-muted")]
    legend = [
        Part(Content.assemble((letter, "$foreground"), (f" {kind}", "$foreground-muted")), 1 + PRIORITIES[kind])
        for kind, (letter, _) in FLAGS.items()
        if letter in letters
    ]
    return [*legend, part(_shown(view, number), "$foreground-muted", 9)]


def _shown(view: View, number: int) -> str:
    viewport, (start, end) = view.options.viewport, view.window
    if not viewport.follows:
        steps = f"steps {start:,.0f} to {end:,.0f}, frozen"
    else:
        steps = "following" if viewport.span is None else f"last {end - start:,.0f} steps, following"
    return steps + ", other scale" * (number in view.options.other_scale)


def limiting_steps(view: View) -> tuple[float, float]:
    """The steps whose values set a chart's limits: not the first tenth of a run, which is steep, where it is shown."""
    start, end = view.window
    return (start + (end - start) / 10, end) if start <= view.extent.first else (start, end)
