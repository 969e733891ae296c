"""What a pane draws from: the run at one moment, its history, and what was asked of it."""

from dataclasses import dataclass, field

from tui_trainer.history.curve import Curve
from tui_trainer.state.run_state import Snapshot
from tui_trainer.ui.pending_commands import PendingCommands

CURVE_POINTS = 2048
"""In a curve: several for each column of the widest chart, as its limits and dots depend on single points."""


@dataclass(frozen=True)
class View:
    snapshot: Snapshot = field(default_factory=Snapshot)
    pending: PendingCommands = field(default_factory=PendingCommands)

    def curve(self, metric: str) -> Curve:
        """A metric over the whole run, so far; empty before its first value."""
        return self.snapshot.history.window(metric, 0, self.snapshot.step, CURVE_POINTS)

    @property
    def at_rest(self) -> bool:
        """Whether the run stands still, so that charts owe its last point."""
        return self.snapshot.state != "running"

    @property
    def marked_steps(self) -> list[float]:
        """The steps at which charts mark that something happened."""
        return [mark.step for mark in self.snapshot.marks]
