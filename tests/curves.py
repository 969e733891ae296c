"""A metric as a snapshot shows it."""

from tui_trainer.history.curve import Curve
from tui_trainer.state.run_state import Snapshot


def curve(snapshot: Snapshot, metric: str) -> Curve:
    """All up to the snapshot's step, each step by itself in a short run."""
    return snapshot.history.window(metric, 0, snapshot.step, 10_000)
