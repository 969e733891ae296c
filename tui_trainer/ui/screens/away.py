"""The dialog on what happened while no screen was attached, shown when one attaches."""

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_trainer.run.text import visible_line
from tui_trainer.state.absence import Absence
from tui_trainer.state.absence_description import describe
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.key_table import AWAY_KEYS
from tui_trainer.ui.keys import bindings, key_hints


class AwayScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings(AWAY_KEYS)

    def __init__(self, absence: Absence, snapshot: Snapshot) -> None:
        super().__init__()
        self._absence, self._snapshot = absence, snapshot

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Since the start" if self._absence.from_start else "While you were away"
            with VerticalScroll(id="away-lines"):
                yield Static(away_text(self._absence, self._snapshot), id="away-text")
            yield Static(key_hints(AWAY_KEYS), classes="hint")

    async def action_quit(self) -> None:
        await self.app.pop_screen()
        await self.app.run_action("quit")


def away_text(absence: Absence, snapshot: Snapshot) -> Content:
    steps = snapshot.run.plan.steps if snapshot.run else 0
    lines = describe(absence, steps, snapshot.time_left, time.time(), snapshot.state == "paused")
    width = max(len(heading) for heading, _ in lines) + 2
    return Content("\n").join(
        Content.assemble((heading.ljust(width), "$foreground-muted"), visible_line(text)) for heading, text in lines
    )
