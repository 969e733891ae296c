"""The chart widget: draws a `Plot` at its own size, at intervals that leave the processor to the training."""

import time
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget

from tui_trainer.run.text import visible_line
from tui_trainer.ui.charts import layout
from tui_trainer.ui.charts.layout import Plot
from tui_trainer.ui.palette import palette


class Chart(Widget):
    ALLOW_SELECT = False
    min_interval: ClassVar[float] = 1.2
    """Seconds between two drawings of new data."""
    max_interval: ClassVar[float] = 4.0
    max_cpu_share: ClassVar[float] = 0.006
    """Largest share of a processor for one chart, as drawing holds the GIL that the trainer's thread needs."""
    min_gap: ClassVar[float] = 0.2
    """Seconds between the drawings of two charts, so that the GIL is released in between."""
    _last_drawn: ClassVar[float] = 0.0

    def __init__(self, waiting_for: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._waiting_for = waiting_for
        self._plot: Plot | None = None
        self._key: object = None
        self._due = 0.0
        self._picture: Text | None = None
        self._drawn_for: tuple[object, Size, str] | None = None

    def show(self, key: object, make_plot: Callable[[], Plot | None], at_once: bool = False) -> None:
        """Draw what `make_plot` returns, None for nothing yet, if `key` is new and it is time, or `at_once`."""
        if key != self._key and (at_once or self._plot is None or self._is_due()):
            self._key = key
            self._plot = make_plot()
            self.refresh()

    def _is_due(self) -> bool:
        now = time.monotonic()
        return now >= self._due and now >= Chart._last_drawn + self.min_gap

    def render(self) -> Text:
        key = (self._key, self.size, self.app.theme)
        if self._picture is None or key != self._drawn_for:
            self._drawn_for = key
            self._picture = self._draw()
        return self._picture

    def _draw(self) -> Text:
        started = time.monotonic()
        try:
            if self._plot is None:
                return layout.message(self._waiting_for, *self.size)
            picture = self._draw_plot(self._plot)
        except Exception as error:  # an error in a chart must not end the app
            picture = layout.message(visible_line(f"cannot draw: {error!r}"), *self.size)
        now = Chart._last_drawn = time.monotonic()
        interval = (now - started) / self.max_cpu_share
        self._due = now + min(self.max_interval, max(self.min_interval, interval))
        return picture

    def _draw_plot(self, plot: Plot) -> Text:
        colours = palette(self.app.theme_variables, self.app.current_theme.dark)
        return layout.render(plot, self.size.width, self.size.height, colours)
