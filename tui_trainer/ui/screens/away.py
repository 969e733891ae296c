"""What happened while nobody looked, shown to whoever attaches."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_trainer.run.away import describe
from tui_trainer.run.state import Snapshot
from tui_trainer.run.text import visible_line


class AwayScreen(ModalScreen[None]):
    """Closes with any of the usual keys, but not with space: pressed twice, that would pause the run."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close")]

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self._snapshot = snapshot

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "While you were away"
            with VerticalScroll(id="away-lines"):
                yield Static(away_text(self._snapshot), id="away-text")
            yield Static("enter  look at the run", classes="hint")


def away_text(snapshot: Snapshot) -> Content:
    assert snapshot.absence is not None
    steps = snapshot.run.steps if snapshot.run else 0
    lines = describe(snapshot.absence, steps, snapshot.seconds_left)
    width = max(len(heading) for heading, _ in lines) + 2
    return Content("\n").join(
        Content.assemble((heading.ljust(width), "$foreground-muted"), visible_line(text)) for heading, text in lines
    )
