"""The base class of all panes: a border with a title on the left and current numbers on the right."""

from typing import ClassVar, Self

from textual import events
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region

from tui_trainer.run.text import visible_line
from tui_trainer.ui.text_fit import Part, fit, join, row_width
from tui_trainer.ui.view import View

BORDER_CELLS = 6
"""Cells of the top border that a title cannot use: corners and the spaces around it."""


class Pane(VerticalScroll):
    """`TITLE` is in its border, `SHORT` in the tab strip, `HELP` in the help; `NUMBER` is its key."""

    ALLOW_MAXIMIZE = False
    TITLE: ClassVar[str]
    SHORT: ClassVar[str]
    HELP: ClassVar[str]
    NUMBER: ClassVar[int]
    """Its place among the panes, from 1."""

    def __init__(self) -> None:
        self._titling = False
        super().__init__(id=self.SHORT.lower().replace(" ", "-"))
        self._summary: list[Part] = []
        self.border_title = self._heading()

    def show(self, view: View) -> None:
        """Draw the pane; an error is shown in its border and not raised."""
        try:
            self.draw(view)
            if self.border_subtitle is not None:
                self.border_subtitle = None
        except Exception as error:
            self.border_subtitle = Content(visible_line(f"cannot draw: {error!r}"))

    def draw(self, view: View) -> None:
        """Update the widgets from the view."""
        raise NotImplementedError

    def _heading(self) -> Content:
        return Content.assemble((f"{self.NUMBER} ", "$foreground-muted"), (self.TITLE, "bold $foreground"))

    def summarise(self, *parts: Part) -> None:
        """Show parts at the right end of the title, as many as fit; those without text are left out."""
        kept = [part for part in parts if part.content.plain]
        if kept != self._summary:
            self._summary = kept
            self._write_title()

    def on_resize(self, event: events.Resize) -> None:
        self._write_title()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Redraw only the top border for a new title, which comes several times a second."""
        if self._titling:
            regions = (Region(0, 0, self.outer_size.width, 1).translate(-self.content_offset),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _write_title(self) -> None:
        title = self._heading()
        room = self.outer_size.width - BORDER_CELLS - title.cell_length - 3
        kept = fit(self._summary, room)
        if kept:
            dashes = "─" * (room - row_width(kept) + 1)
            title = Content.assemble(title, f" {dashes} ", join(kept))
        self._titling = True
        self.border_title = title
        self._titling = False
