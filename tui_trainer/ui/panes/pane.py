"""The base class of all panes: a border with a title on the left and current numbers on the right."""

from collections.abc import Sequence
from typing import ClassVar, Self

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region

from tui_trainer.run.text import visible_line
from tui_trainer.ui.text_fit import Part, fit, join, part
from tui_trainer.ui.view import View

BORDER_CELLS = 6
"""Cells of the top border that a title cannot use: corners and the spaces around it."""


SCROLLING = {
    "up": "scroll_up",
    "down": "scroll_down",
    "home": "scroll_home",
    "end": "scroll_end",
    "pageup": "page_up",
    "pagedown": "page_down",
}


class Pane(VerticalScroll, inherit_bindings=False):
    """`TITLE` is in its border, `SHORT` in the tab strip, `HELP` in the help; `NUMBER` is its key."""

    ALLOW_MAXIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding(key, action, show=False) for key, action in SCROLLING.items()]
    """Those of a container that scrolls, but for left and right, which are keys of the charts."""
    TITLE: ClassVar[str]
    SHORT: ClassVar[str]
    HELP: ClassVar[str]
    NUMBER: ClassVar[int]
    """Its place among the panes, from 1."""

    def __init__(self) -> None:
        self._titling = False
        super().__init__(id=self.SHORT.lower().replace(" ", "-"))
        self._summary: list[Part] = []
        self._shown_footnote = ""
        self.border_title = self._heading()

    def show(self, view: View, charts: bool = True) -> None:
        """Draw the pane, or without its `charts`; an error is shown in its border and not raised."""
        try:
            self.draw(view)
            if charts:
                self.draw_charts(view)
            self._write_footnote(self.footnotes(view))
        except Exception as error:
            self._shown_footnote = visible_line(f"cannot draw: {error!r}")
            self.border_subtitle = Content(self._shown_footnote)

    def draw(self, view: View) -> None:
        """Update the texts from the view."""
        raise NotImplementedError

    def draw_charts(self, view: View) -> None:
        """Update the charts from the view, if the pane has some."""

    def _heading(self) -> Content:
        return Content.assemble((f"{self.NUMBER} ", "$foreground-muted"), (self.TITLE, "bold $foreground"))

    def summarise(self, *parts: Part) -> None:
        """Show parts at the right end of the title, as many as fit; those without text are left out."""
        kept = [part for part in parts if part.content.plain]
        if kept != self._summary:
            self._summary = kept
            self._write_title()

    def footnotes(self, view: View) -> list[Part]:
        """What is shown in the lower border, as much as fits, the last of it at its right end."""
        return []

    def on_resize(self, event: events.Resize) -> None:
        self._write_title()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._write_title()

    @property
    def _line(self) -> str:
        """What its upper and lower border are made of."""
        return "━" if self.has_focus and self.app.native_ansi_color else "─"

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Redraw only the top border for a new title, which comes several times a second."""
        if self._titling:
            regions = (Region(0, 0, self.outer_size.width, 1).translate(-self.content_offset),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _write_footnote(self, parts: Sequence[Part]) -> None:
        room = self.outer_size.width - BORDER_CELLS
        *left, right = fit(parts, room - 3) or [part("")]
        text = _apart(join(left), right.content, room, self._line) if left else right.content
        if text.plain != self._shown_footnote:
            self._shown_footnote = text.plain
            self.border_subtitle = text if text.plain else None

    def _write_title(self) -> None:
        title = self._heading()
        room = self.outer_size.width - BORDER_CELLS
        if kept := fit(self._summary, room - title.cell_length - 3):
            title = _apart(title, join(kept), room, self._line)
        self._titling = True
        self.border_title = title
        self._titling = False


def _apart(left: Content, right: Content, width: int, line: str) -> Content:
    """Two texts at the ends of `width` cells of a border of `line`s, which goes on between them."""
    dashes = line * (width - left.cell_length - right.cell_length - 2)
    return Content.assemble(left, f" {dashes} ", right)
