"""Events as the state they amount to, and a metric as a snapshot shows it."""

from collections.abc import Iterable

from tui_trainer.history.curve import Curve
from tui_trainer.run.events import Event
from tui_trainer.state.run_state import RunState, Snapshot


def folded(events: Iterable[Event]) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def curve(snapshot: Snapshot, metric: str) -> Curve:
    """All up to the snapshot's step, each step by itself in a short run."""
    return snapshot.history.window(metric, 0, snapshot.step, 10_000)
