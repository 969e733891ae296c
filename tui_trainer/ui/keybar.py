"""The key bar on the bottom line: the most important keys that fit, each a button."""

from itertools import groupby

from textual.content import Content
from textual.reactive import reactive

from tui_trainer.ui.access import Access
from tui_trainer.ui.buttons import ButtonRow, button
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keys import Key
from tui_trainer.ui.text_fit import Part, fit, join, row_width


class KeyBar(ButtonRow):
    access: reactive[Access] = reactive(Access())
    zoomed: reactive[bool] = reactive(False)

    def __init__(self) -> None:
        super().__init__(id="keybar")

    def render(self) -> Content:
        width = self.size.width - 1
        parts = self.parts(short=False)
        if row_width(parts) > width:
            parts = fit(self.parts(short=True), width)
        return Content.assemble(" ", join(parts))

    def parts(self, short: bool) -> list[Part]:
        """An item for every label among the available keys; keys with the same label share one."""
        shown = (key for key in KEYS if key.label and self.access.offers(key))
        return [self._item(list(keys), short) for _, keys in groupby(shown, key=lambda key: key.label)]

    def _item(self, keys: list[Key], short: bool) -> Part:
        key = keys[0]
        cap_style, name_style = ("bold $text-accent", "$foreground")
        caps = [button("⏎" if short and key.shown == "enter" else key.shown, _action(key), cap_style) for key in keys]
        name = button(f" {self._label(key, short)}", _action(key), name_style)
        return Part(Content.assemble(Content(" ").join(caps), name), key.importance)

    def _label(self, key: Key, short: bool) -> str:
        if key.id == "pause" and self.access.state == "paused":
            return "resume"
        if key.id == "maximise" and self.zoomed:
            return "back"
        return key.short if short else key.label


def _action(key: Key) -> str:
    return f"app.{key.action}"
