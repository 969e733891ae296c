"""The main screen: header, panes, key bar, laid out by the size of the terminal."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.geometry import Size
from textual.screen import Screen

from tui_trainer.ui.banner import Banner
from tui_trainer.ui.charts.axes import LABEL_WIDTH
from tui_trainer.ui.charts.options import ChartOptions
from tui_trainer.ui.header import Header
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keybar import KeyBar
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.panes import CHARTS, PANES, ChartPane, Pane
from tui_trainer.ui.readout import Readout
from tui_trainer.ui.tabs import TabStrip
from tui_trainer.ui.view import View

ONE_LINE = 112
"""Columns from which the header is a single line."""

TWO_LINES = 18
"""Rows from which it may be two."""


BORDERS: Final = 2
"""Cells of a pane's width that its borders take."""

GRIDS: Final = {"full": (2, 0, "1fr"), "small": (2, 2, "1fr 1fr"), "single": (1, 1, "1fr")}
"""By arrangement: the columns and rows of the panes, 0 for as many as it takes, and the heights of the rows."""


def arrangement(size: Size) -> str:
    """`full`: all panes; `small`: one chart above samples and vitals; `single`: one pane."""
    if (size.width >= 100 and size.height >= 30) or (size.width >= 80 and size.height >= 42):
        return "full"
    return "small" if size.width >= 60 and size.height >= 20 else "single"


class MainScreen(Screen[None]):
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        # On the screen itself, as Textual's own bindings of tab on Screen come before the app's.
        replace(key, action=f"app.{key.action}")
        for key in KEYS
        if key.id in ("next", "previous")
    )

    def __init__(self, title: str) -> None:
        super().__init__()
        self._header, self._banner = Header(title), Banner()
        self._tabs, self._readout, self._keybar = TabStrip(), Readout(), KeyBar()
        self._panes = [pane() for pane in PANES]
        self._grid = Container(*self._panes, id="panes")
        self._zoomed = False
        self._view: View | None = None
        self._options = ChartOptions()
        """With which the panes were drawn last."""
        self._chart = 1
        self._active = 1
        self._turn = 0

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._banner
        yield self._tabs
        yield self._grid
        yield self._readout
        yield self._keybar

    def on_mount(self) -> None:
        self.focus_pane(1)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()
        if self._view is not None:
            self.call_after_refresh(self._show_panes, self._view, True)

    def show(self, view: View, panes: bool = True, charts: bool = True) -> None:
        """Update the header, the banner and the key bar, and the visible panes unless `panes` is false.

        Of the panes of charts one has them drawn in its turn where `charts` is false: drawing them is what takes long.
        """
        self._view, snapshot = view, view.snapshot
        self._header.show(snapshot, view.pending)
        self._banner.show(snapshot)
        self._readout.show(view)
        self._keybar.display = not self._readout.display
        self._keybar.access = view.access
        if panes:
            self._show_panes(view, charts or view.is_idle)

    def _show_panes(self, view: View, charts: bool) -> None:
        """Draw the visible panes; after a key that changes all charts the focused one first, for the eye is there."""
        visible = [pane for pane in self._panes if pane.display]
        if view.options != self._options:
            self._options = view.options
            focused = self.pane(self._active)
            focused.show(view)
            visible.remove(focused)
            self.call_after_refresh(self._show_each, view, visible)
        else:
            self._show_each(view, visible, None if charts else self._next_chart(visible))

    def _show_each(self, view: View, panes: Sequence[Pane], only: ChartPane | None = None) -> None:
        """Draw the panes, the charts of all of them or of `only` one."""
        for pane in panes:
            pane.show(view, charts=only is None or pane is only)

    def _next_chart(self, visible: Sequence[Pane]) -> ChartPane | None:
        """The pane whose charts are to be drawn now; None for all of them, while one has not been drawn yet."""
        panes = [pane for pane in visible if isinstance(pane, ChartPane)]
        if not panes or any(pane.is_empty for pane in panes):
            return None
        self._turn += 1
        return panes[self._turn % len(panes)]

    @property
    def focused_chart(self) -> ChartPane | None:
        """The pane with the focus, if it shows charts."""
        pane = self.pane(self._active)
        return pane if isinstance(pane, ChartPane) else None

    @property
    def columns(self) -> int:
        """Cells between the axes of the focused chart, of the one shown last, or of one that had the room of a pane."""
        pane = self.focused_chart or self.pane(self._chart)
        width = (pane if pane.display else self.pane(self._active)).outer_size.width
        return max(1, width - BORDERS - LABEL_WIDTH - 1)

    def pane(self, number: int) -> Pane:
        return self._panes[number - 1]

    def focus_pane(self, number: int) -> None:
        """Show a pane, instead of another where there is no room for both, and focus it."""
        self._active = number
        if number <= CHARTS:
            self._chart = number
        self._arrange()
        self.pane(number).focus()

    def move_focus(self, by: int) -> None:
        self.focus_pane((self._active - 1 + by) % len(PANES) + 1)

    def zoom(self, zoomed: bool) -> None:
        self._zoomed = self._keybar.zoomed = zoomed
        self._arrange()

    @property
    def zoomed(self) -> bool:
        return self._zoomed

    def shows(self, number: int) -> bool:
        return self.pane(number).display

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and self._active != event.widget.NUMBER:
            self.focus_pane(event.widget.NUMBER)

    def _arrange(self) -> None:
        layout_name = "single" if self._zoomed else arrangement(self.app.size)
        self._set_grid(layout_name)
        self._tabs.display = layout_name != "full"
        for pane in self._panes:
            pane.display = (
                layout_name == "full" or self._active == pane.NUMBER
                if layout_name != "small"
                else self._fits(pane.NUMBER)
            )
        self._tabs.last = CHARTS if layout_name == "small" else len(PANES)
        self._tabs.active = self._chart if layout_name == "small" else self._active
        self._header.styles.height = 1 if self.app.size.width >= ONE_LINE or self.app.size.height < TWO_LINES else 2

    def _set_grid(self, layout_name: str) -> None:
        """Directly: for a class every widget's styles would be found anew, which takes as long as a chart does.

        In a small screen the chart is as wide as the two panes below it.
        """
        columns, rows, heights = GRIDS[layout_name]
        styles = self._grid.styles
        styles.grid_size_columns, styles.grid_size_rows, styles.grid_rows = columns, rows, heights
        for pane in self._panes[:CHARTS]:
            pane.styles.column_span = 2 if layout_name == "small" else 1

    def _fits(self, number: int) -> bool:
        """Whether a small screen shows this pane."""
        return number > CHARTS or number == self._chart
