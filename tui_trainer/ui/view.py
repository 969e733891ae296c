"""The data that panes draw: a snapshot of the run with its history, and the pending commands."""

from dataclasses import dataclass, field

from tui_trainer.history.curve import Curve
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.pending_commands import PendingCommands

CURVE_POINTS = 2048
"""Points in a curve: several for each column of the widest chart, as its limits and dots depend on single points."""


@dataclass(frozen=True)
class View:
    snapshot: Snapshot = field(default_factory=Snapshot)
    pending: PendingCommands = field(default_factory=PendingCommands)

    def curve(self, metric: str) -> Curve:
        """A metric over the whole run so far; empty before its first value."""
        return self.snapshot.history.window(metric, 0, self.snapshot.step, CURVE_POINTS)

    @property
    def is_idle(self) -> bool:
        """Whether no steps are taken, so that charts must show the last one without delay."""
        return self.snapshot.state != "running"

    @property
    def marked_steps(self) -> list[float]:
        """The steps that charts flag on their step axis."""
        return [mark.step for mark in self.snapshot.marks]
