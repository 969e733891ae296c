"""Applies events to a run's state, and takes a metric's curve from a snapshot."""

from collections.abc import Iterable

from tui_trainer.history.curve import Curve
from tui_trainer.run.events import Event
from tui_trainer.state.run_state import RunState
from tui_trainer.state.snapshot import Snapshot


def folded(events: Iterable[Event]) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def curve(snapshot: Snapshot, metric: str) -> Curve:
    """A metric up to the snapshot's step; up to 10,000 steps each point is one step."""
    return snapshot.history.window(metric, 0, snapshot.step, 10_000)
