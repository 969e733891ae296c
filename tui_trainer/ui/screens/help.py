"""The help screen: every key, and a sentence on every pane."""

from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_trainer.ui.access import Access
from tui_trainer.ui.key_table import HELP_KEYS, KEYS
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.panes import PANES


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings(HELP_KEYS)

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as scroll:
            scroll.border_title = "Help"
            scroll.border_subtitle = " ".join((HELP_KEYS[0].shown, HELP_KEYS[0].help))
            yield Static(key_list(self._access), classes="help-part")
            yield Static(Content.styled("The panes", "bold $text-accent"))
            for pane in PANES:
                yield Static(Content.assemble((pane.TITLE, "bold")), classes="help-name")
                yield Static(Content(pane.HELP), classes="help-text")


def key_list(access: Access) -> Content:
    """The keys that have an effect, or may have one later."""
    lines = []
    for group, keys in groupby(filter(access.may_offer, KEYS), key=lambda key: key.group):
        lines.append(Content.styled(group, "bold $text-accent"))
        lines += [Content.assemble((f"  {key.shown:<11}", "bold"), key.help) for key in keys]
        lines.append(Content(""))
    return Content("\n").join(lines)
