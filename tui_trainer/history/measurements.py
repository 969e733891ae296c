"""What an event measures: its numbers by metric, as the history keeps them."""

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any, Final

from tui_trainer.history.cells import Measured
from tui_trainer.run.codec import LAST_STEP
from tui_trainer.run.events import SAMPLE, WHOLE, Evaluation, Step

EVALUATED: Final = {
    WHOLE: {"train_loss": "train_loss", "val_loss": "val_loss", "bits_per_byte": "bits_per_byte"},
    SAMPLE: {"sampled_val_loss": "val_loss", "sampled_val_error": "standard_error"},
}
"""By the part of the validation text: the metrics, each with the field of an evaluation that has its value.

Perplexity is left out here and wherever it could be had from a loss: it is its exponential.
"""

NUMBERS: Final = frozenset((float, int, NoneType))
"""Types of values, of which bool is none."""

NOT_MEASURED: Final = frozenset(("event", "step", "time"))


def step_numbers(event: Step) -> dict[str, float | None]:
    """Every number of a step."""
    return numbers_of(vars(event)) | event.numbers


def evaluation_numbers(event: Evaluation) -> dict[str, float | None]:
    return _evaluated(vars(event))


def measured_in(line: bytes) -> Measured | None:
    """The step and the numbers of a journal's line, which anybody may have written; None where it has none.

    Takes a fraction of the time that decoding the event does, and leaves out what is derived from the steps before.
    """
    try:
        record = json.loads(line)
        kind, step = record["event"], record["step"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(step, int) or not 0 <= step <= LAST_STEP:
        return None
    if kind == Step.event:
        return step, numbers_of(record)
    return (step, numbers_of(_evaluated(record))) if kind == Evaluation.event else None


def _evaluated(record: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers in the record of an evaluation, by metric."""
    metrics = EVALUATED[SAMPLE if record.get("part") == SAMPLE else WHOLE]
    return {metric: record.get(name) for metric, name in metrics.items()}


def numbers_of(record: Mapping[str, Any]) -> dict[str, float | None]:
    """All numbers in the record of a step."""
    return {name: value for name, value in record.items() if type(value) in NUMBERS and name not in NOT_MEASURED}
