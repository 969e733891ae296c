"""`run` events by what their line tells, which lies flat in it, whatever part it belongs to."""

import json
from typing import Any

from tui_trainer.run.codec import decode, encode
from tui_trainer.run.events import RunStarted


def run_started(**told: Any) -> RunStarted:
    event = decode(json.dumps({"event": "run", "step": 0, **told}))
    assert isinstance(event, RunStarted)
    return event


def changed_run(run: RunStarted, /, **told: Any) -> RunStarted:
    """The event with something else told."""
    return run_started(**{**json.loads(encode(run)), **told})
