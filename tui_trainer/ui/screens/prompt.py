"""The prompt dialog: edits the text that samples continue."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui_trainer.run.text import visible_line
from tui_trainer.ui.key_table import PROMPT_KEYS
from tui_trainer.ui.keys import bindings, key_hints

LINE_END = "⏎"
"""How the input shows a line end; typed, it is one."""


class PromptScreen(ModalScreen[str | None]):
    """Returns the new prompt, or None when it is not to change."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(PROMPT_KEYS)

    def __init__(self, prompt: str) -> None:
        super().__init__()
        self._prompt = prompt

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Prompt"
            yield Static("Samples go on from this text.", classes="explanation")
            yield Input(visible_line(self._prompt), id="prompt-input")
            yield Static(key_hints(PROMPT_KEYS), classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        unchanged = event.value == visible_line(self._prompt)
        self.dismiss(self._prompt if unchanged else event.value.replace(LINE_END, "\n"))

    def action_cancel(self) -> None:
        self.dismiss(None)
