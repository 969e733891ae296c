"""The chart widget: draws a `Plot` at its own size."""

from collections.abc import Callable

from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui_trainer.run.text import visible_line
from tui_trainer.ui.charts import layout
from tui_trainer.ui.charts.canvas import changed_cells
from tui_trainer.ui.charts.layout import Drawing
from tui_trainer.ui.charts.plot import Plot
from tui_trainer.ui.palette import palette


class Chart(Widget):
    """Only the cells that differ from the last drawing are sent to the terminal."""

    ALLOW_SELECT = False

    def __init__(self, waiting_for: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._waiting_for = waiting_for
        self._plot: Plot | None = None
        self._key: object = None
        self._cursor: float | None = None
        self._drawing: Drawing | None = None
        self._drawn_for: tuple[Size, str] | None = None
        self._strips: list[Strip] = []
        self._dragged = False
        """Whether the mouse has moved since its button was pressed."""

    @property
    def is_empty(self) -> bool:
        return self._plot is None

    def show(self, key: object, make_plot: Callable[[], Plot | None], cursor: float | None) -> None:
        """Draw what `make_plot` returns, None for nothing yet, if `key` is new."""
        if key != self._key:
            self._key, self._cursor = key, cursor
            self._plot, self._drawing = make_plot(), None
            self._update()
        elif cursor != self._cursor:
            self._cursor = cursor
            self._update()

    @property
    def letters(self) -> frozenset[str]:
        """Those of the flags that can be seen on its axis."""
        return self._drawing.letters if self._drawing else frozenset()

    def step_at(self, column: int) -> float | None:
        """The step that is drawn in a column of the widget, if there is one."""
        return self._drawing.step_at(column) if self._drawing else None

    # -- the mouse -----------------------------------------------------------------------------------------------------

    async def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        await self._zoom(event, 1)

    async def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        await self._zoom(event, -1)

    async def _zoom(self, event: events.MouseEvent, direction: int) -> None:
        event.stop()
        if (step := self.step_at(event.x)) is not None:
            await self.run_action(f"app.zoom({direction}, {step})")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragged = False
        self.capture_mouse()

    async def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button and event.delta_x and self.size.width:
            self._dragged = True
            await self.run_action(f"app.pan({-event.delta_x / self.size.width})")

    async def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()
        if not self._dragged and (step := self.step_at(event.x)) is not None:
            await self.run_action(f"app.point_at({step})")

    def render_line(self, y: int) -> Strip:
        if self._drawn_for != (self.size, self.app.theme):
            self._drawing = None
            self._strips = self._rows()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _update(self) -> None:
        """Draw, and have the cells that changed sent."""
        before, drawn_for = self._strips, self._drawn_for
        self._strips = self._rows()
        if drawn_for != self._drawn_for:
            self.refresh()
            return
        pairs = enumerate(zip(before, self._strips, strict=True))
        changed = [(row, cells) for row, (old, new) in pairs if (cells := changed_cells(old, new)) is not None]
        if changed:
            self.refresh(*(Region(first, row, last - first, 1) for row, (first, last) in changed))

    def _rows(self) -> list[Strip]:
        self._drawn_for = self.size, self.app.theme
        theme = self.app.current_theme
        styles = palette(self.app.theme_variables, theme.dark, theme.ansi)
        if self._drawing is None:
            self._drawing = self._draw()
        return self._drawing.with_cursor(self._cursor).strips(styles)

    def _draw(self) -> Drawing:
        if self._plot is None:
            return layout.message(self._waiting_for, *self.size)
        try:
            return layout.render(self._plot, *self.size)
        except Exception as error:  # an error in a chart must not end the app
            return layout.message(visible_line(f"cannot draw: {error!r}"), *self.size)
