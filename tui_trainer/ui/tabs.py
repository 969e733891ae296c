"""The tab strip: names the panes on a screen too small for all of them, and marks the one shown."""

from textual.content import Content
from textual.reactive import reactive

from tui_trainer.ui.buttons import ButtonRow, button
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.text_fit import part, row_width


class TabStrip(ButtonRow):
    active: reactive[int] = reactive(1)
    last: reactive[int] = reactive(len(PANES))
    """Number of the last pane named."""

    def __init__(self) -> None:
        super().__init__(id="tabs")

    def render(self) -> Content:
        panes = PANES[: self.last]
        names = [f" {pane.NUMBER} {pane.SHORT} " for pane in panes]
        if row_width([part(name) for name in names], 1) > self.size.width - 1:
            names = [name if number == self.active else f" {number} " for number, name in enumerate(names, 1)]
        tabs = [self._tab(number, name) for number, name in enumerate(names, 1)]
        return Content.assemble(" ", Content(" ").join(tabs))

    def _tab(self, number: int, name: str) -> Content:
        if number == self.active:
            name, style = f"[{name.strip()}]", "bold $text-accent"
        else:
            style = "$foreground-muted"
        return button(name, f"app.show_pane({number})", style)
