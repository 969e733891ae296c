"""The state of the training loop in a checkpoint, beside weights and optimizer, and its checks when read."""

import reprlib
import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any, Final

from tui_trainer.config import InputError, SamplingConfig, describe_range, in_range
from tui_trainer.run.text import visible_line

MAX_STEPS: Final = 10**12
"""As many as --steps takes."""


NOT_YET: Final = -1
"""How None is written for the number of a step."""


def _number(default: int | None, minimum: int = 0, maximum: int = MAX_STEPS) -> Any:
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum, "above": None})


_TEMPERATURE = next(spec for spec in fields(SamplingConfig) if spec.name == "temperature")


@dataclass
class Progress:
    """State of the training loop; with weights and optimizer, all that the steps to come depend on."""

    fingerprint: str
    """Of the corpus."""
    temperature: float = field(metadata=_TEMPERATURE.metadata)
    prompt: str
    step: int = _number(0)
    tokens: int = _number(0, maximum=2**62)
    best_loss: float | None = None
    best_step: int = _number(0)
    evaluations_since_best: int = _number(0)
    evaluated_step: int | None = _number(None, minimum=NOT_YET)
    """Step of the last evaluation; None before the first, and in checkpoints older than this field."""
    loss_sum: float = 0.0
    loss_count: int = _number(0)
    """Training losses since the last evaluation."""
    sampled_step: int | None = _number(None, minimum=NOT_YET)
    """Step of the last regular sample that was published."""
    rollbacks: int = _number(0)
    lr_factor: float = field(default=1.0, metadata={"minimum": None, "maximum": 1, "above": 0})
    """What the learning rate is multiplied by, up to step `lr_factor_until`."""
    lr_factor_until: int = _number(0, maximum=2 * MAX_STEPS)
    batch_size: int = _number(0, maximum=2**16)
    """Of the micro-batches, with `accumulate` of them a step, where memory was too small for the configured ones."""
    accumulate: int = _number(0, maximum=2**32)
    planned_steps: int = _number(0, maximum=2 * MAX_STEPS)
    """How many steps the run was to have in all when this was saved; 0 in checkpoints older than this field."""
    finished: bool = False
    """Whether all phases of the run's end are done; false between its last step and that."""
    guard: dict[str, float] = field(default_factory=dict)
    """The state of the DivergenceDetector."""
    trouble_since: int = _number(0)
    """The last step before the signs of divergence that the detector counts, or has counted last."""
    diverged: bool = False
    """Whether the run failed because of it."""
    setup: dict[str, str] = field(default_factory=dict)
    """What the numbers depend on to the bit, beside configuration and corpus."""

    def out_of_patience(self, patience: int | None) -> bool:
        """Whether so many evaluations, if any number is given, have brought no improvement."""
        return bool(patience) and self.evaluations_since_best >= (patience or 0)


_NAMES: Final[dict[Any, str]] = {
    int: "a whole number",
    int | None: "a whole number",
    float: "a finite number",
    str: "a text",
    bool: "true or false",
    float | None: "a finite number, or null",
    dict[str, float]: "finite numbers by their names",
    dict[str, str]: "texts by their names",
}


class UnknownFieldError(InputError):
    """A checkpoint has a field that this version does not know."""


def checked_progress(values: Mapping[str, Any]) -> Progress:
    """What was read from a file; raises InputError, naming the field, where it is not what a trainer has written."""
    specs = {spec.name: spec for spec in fields(Progress)}
    if unknown := values.keys() - specs.keys():
        raise UnknownFieldError(f"there is no field {visible_line(min(unknown))}")
    for name, spec in specs.items():
        if name in values:
            _check(spec, values[name])
        elif spec.default is MISSING and spec.default_factory is MISSING:
            raise InputError(f"{name} is missing")
    progress = Progress(**{name: _from_file(specs[name], value) for name, value in values.items()})
    for name in ("best_step", "evaluated_step", "sampled_step", "trouble_since"):
        if values.get(name, 0) > progress.step:
            raise InputError(f"{name} {values[name]:,} is after step {progress.step:,}")
    return progress


def progress_values(progress: Progress) -> dict[str, Any]:
    """What is written to a file, by the names of the fields."""
    values = asdict(progress)
    return {spec.name: _to_file(spec, values[spec.name]) for spec in fields(Progress)}


def _from_file(spec: Field[Any], value: Any) -> Any:
    return None if spec.type == int | None and value == NOT_YET else value


def _to_file(spec: Field[Any], value: Any) -> Any:
    return NOT_YET if spec.type == int | None and value is None else value


def _check(spec: Field[Any], value: Any) -> None:
    if not _is(value, spec.type):
        raise InputError(f"{spec.name} must be {_NAMES[spec.type]}, not {visible_line(reprlib.repr(value))}")
    if spec.metadata and not in_range(spec.metadata, value):
        raise InputError(f"{spec.name} {value} is out of range: it must be {describe_range(spec.metadata)}")


def _is(value: Any, expected: Any) -> bool:
    if expected in (dict[str, float], dict[str, str]):
        item = float if expected == dict[str, float] else str
        return isinstance(value, dict) and all(_is(each, item) for each in value.values())
    if expected == float | None:
        return value is None or _is(value, float)
    if expected == int | None:
        return type(value) is int
    if expected is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    return type(value) is expected
