"""A banner across the screen when a run has failed: the reason, and the key that quits."""

from textual.content import Content
from textual.widgets import Static

from tui_trainer.run.text import visible_line
from tui_trainer.state.snapshot import Snapshot


class Banner(Static):
    def __init__(self) -> None:
        super().__init__("", id="banner")
        self.display = False

    def show(self, snapshot: Snapshot) -> None:
        failed = snapshot.state == "failed"
        if failed != self.display:
            self.display = failed
            reason = visible_line(snapshot.reason) or "no reason given"
            self.update(Content.assemble(("FAILED  ", "bold"), reason, ("\nq leaves.", "$foreground 70%")))
