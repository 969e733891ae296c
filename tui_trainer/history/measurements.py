"""What an event measures: its numbers by metric, as the history keeps them."""

from collections.abc import Mapping
from typing import Any, Final

from tui_trainer.run.events import Evaluation, Step

EVALUATED: Final = ("train_loss", "val_loss", "bits_per_byte")
"""Perplexity is left out here and wherever it could be had from a loss: it is its exponential."""

NOT_MEASURED: Final = frozenset(("event", "step", "time"))


def step_numbers(event: Step) -> dict[str, float | None]:
    """Every number of a step."""
    return numbers_of(vars(event))


def evaluation_numbers(event: Evaluation) -> dict[str, float | None]:
    return {name: getattr(event, name) for name in EVALUATED}


def numbers_of(record: Mapping[str, Any]) -> dict[str, float | None]:
    """What a step's record, whoever wrote it, has of numbers."""
    return {name: value for name, value in record.items() if _is_number(value) and name not in NOT_MEASURED}


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
