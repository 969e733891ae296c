"""`run` events made from the flat fields of their journal line, whatever part each belongs to."""

import json
from typing import Any

from tui_trainer.run.codec import decode, encode
from tui_trainer.run.events import RunStarted


def run_started(**fields: Any) -> RunStarted:
    event = decode(json.dumps({"event": "run", "step": 0, **fields}))
    assert isinstance(event, RunStarted)
    return event


def changed_run(run: RunStarted, /, **fields: Any) -> RunStarted:
    """The event with some fields changed."""
    return run_started(**{**json.loads(encode(run)), **fields})
