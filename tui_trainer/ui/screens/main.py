"""The main screen: arranges the panes to the size of the terminal."""

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.geometry import Size
from textual.screen import Screen

from tui_trainer.ui.banner import Banner
from tui_trainer.ui.header import Header
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keybar import KeyBar
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.panes import PANES, Pane
from tui_trainer.ui.tabs import TabStrip
from tui_trainer.ui.view import View

CHARTS = 4
"""The first panes are charts, which take turns on a small screen."""

ONE_LINE = 112
"""Columns from which the header is a single line."""

TWO_LINES = 18
"""Rows from which it may be two."""


def arrangement(size: Size) -> str:
    """`full`: all panes; `small`: one chart above samples and vitals; `single`: one pane."""
    if (size.width >= 100 and size.height >= 30) or (size.width >= 80 and size.height >= 42):
        return "full"
    return "small" if size.width >= 60 and size.height >= 20 else "single"


class MainScreen(Screen[None]):
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        # Of the screen's own, else Textual's for moving the focus would come first.
        replace(key, action=f"app.{key.action}")
        for key in KEYS
        if key.id in ("next", "previous")
    )

    def __init__(self, title: str) -> None:
        super().__init__()
        self._header, self._banner = Header(title), Banner()
        self._tabs, self._keybar = TabStrip(), KeyBar()
        self._panes = [pane() for pane in PANES]
        self._zoomed = False
        self._chart = 1
        self._active = 1

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._banner
        yield self._tabs
        yield Container(*self._panes, id="panes")
        yield self._keybar

    def on_mount(self) -> None:
        self.focus_pane(1)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def offer(self, is_attached: bool, refused: bool) -> None:
        """Whose run it is, and whether it takes no commands: what the key bar has to offer goes by that."""
        self._keybar.is_attached, self._keybar.refused = is_attached, refused

    def show(self, view: View, panes: bool = True) -> None:
        """Bring what can be seen up to date, with or without the panes."""
        snapshot = view.snapshot
        self._header.show(snapshot, view.pending)
        self._banner.show(snapshot)
        self._keybar.state, self._keybar.choice = snapshot.state, bool(snapshot.model)
        for pane in self._panes:
            if panes and pane.display:
                pane.show(view)

    def pane(self, number: int) -> Pane:
        return self._panes[number - 1]

    def focus_pane(self, number: int) -> None:
        """Show a pane, in place of another where there is no room for both, and focus it."""
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
        way = "single" if self._zoomed else arrangement(self.app.size)
        for name in ("full", "small", "single"):
            self.set_class(name == way, f"-{name}")
        for pane in self._panes:
            pane.display = way == "full" or self._active == pane.NUMBER if way != "small" else self._fits(pane.NUMBER)
        self._tabs.last = CHARTS if way == "small" else len(PANES)
        self._tabs.active = self._chart if way == "small" else self._active
        self._header.styles.height = 1 if self.app.size.width >= ONE_LINE or self.app.size.height < TWO_LINES else 2

    def _fits(self, number: int) -> bool:
        """Whether a small screen shows this pane."""
        return number > CHARTS or number == self._chart
