"""The dialog that chooses a theme: each is used while it is highlighted."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_trainer.ui.key_table import THEME_KEYS
from tui_trainer.ui.keys import bindings, key_hints
from tui_trainer.ui.themes import FIRST, ordered

CURRENT: Final = "●"


class ThemeScreen(ModalScreen[str | None]):
    """Returns the theme chosen, or None when it stays what it was."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(THEME_KEYS)

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Theme"
            yield OptionList(*(self._option(name) for name in ordered(self.app.available_themes)), id="themes")
            yield Static(key_hints(THEME_KEYS), classes="hint")

    def _option(self, name: str) -> Option:
        mark = CURRENT if name == self._current else " "
        return Option(Content(f"{mark} {name:<18}{FIRST.get(name, '')}"), id=name)  # in the colours of the highlight

    def on_mount(self) -> None:
        themes = self.query_one(OptionList)
        themes.highlighted = themes.get_option_index(self._current)
        themes.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_id is not None:
            self.app.theme = event.option_id

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_cancel(self) -> None:
        self.app.theme = self._current
        self.dismiss(None)
