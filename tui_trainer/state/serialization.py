"""The state of a run as values of JSON, and back: dataclasses, by the types of their fields."""

import json
from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from tui_trainer.analysis.smoothing import Smoother
from tui_trainer.history.history import History
from tui_trainer.run.codec import LARGEST, LAST_STEP, LAST_TIME, fits
from tui_trainer.run.events import Event, ScheduleChanged, StateChanged
from tui_trainer.state.absence import Absence, AbsenceTracker
from tui_trainer.state.clock import TrainingClock
from tui_trainer.state.pace import Pace
from tui_trainer.state.run_state import HALF_LIVES, RunState
from tui_trainer.state.snapshot import Snapshot

ROUNDING: Final = 1e-9

COUNTED: Final = (RunState, Snapshot, TrainingClock, Pace, AbsenceTracker, Absence)
"""What has no number but counts, steps, seconds and a temperature."""

STORED: Final = "stored"
"""In the metadata of a field, whether it is part of what is stored."""


def dump_state(state: RunState) -> str:
    """All of a state that follows from the journal, but for the history, in JSON."""
    return json.dumps(to_json(state))


def load_state(text: str, history: History) -> RunState:
    """A state with its history; raises ValueError, TypeError, KeyError or RecursionError for what is none."""
    state: RunState = from_json(json.loads(text), RunState)
    StateChanged(state=state.shown.state, step=state.shown.step)  # which checks that there can be such a one
    if state.smoothers.keys() != HALF_LIVES.keys():
        raise ValueError("other averages are kept")
    if state.shown.schedule is not None:
        plan = asdict(state.shown.schedule)
        ScheduleChanged(schedule=plan.pop("kind"), **plan)  # likewise
    state.shown, state.version = state.shown.changed({"history": history}), 1
    return state


def to_json(value: Any) -> Any:
    if is_dataclass(value):
        return {name: to_json(getattr(value, name)) for name in _stored(value.__class__)}
    if isinstance(value, dict):
        return {name: to_json(part) for name, part in value.items()}
    return [to_json(part) for part in value] if isinstance(value, tuple) else value


def from_json(value: Any, hint: Any) -> Any:
    """A value of the type `hint`; raises ValueError, TypeError or KeyError where it is none."""
    return _reader(hint)(value)


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """A function that makes a value of the type `hint` from one of JSON."""
    if is_dataclass(hint):
        return _dataclass_reader(hint)
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType) and any(map(is_dataclass, arguments)):
        (only,) = (_reader(kind) for kind in arguments if kind is not NoneType)
        return lambda value: None if value is None else only(value)
    if get_origin(hint) is tuple:
        part = _reader(arguments[0])
        return lambda value: tuple(map(part, _typed(value, list)))
    if get_origin(hint) is dict:
        part = _reader(arguments[1])
        return lambda value: {name: part(each) for name, each in _typed(value, dict).items()}
    return lambda value: _typed(value, hint)


def _dataclass_reader(kind: Any) -> Callable[[Any], Any]:
    readers = {name: _reader(hint) for name, hint in _stored(kind).items()}

    def read(value: Any) -> Any:
        made = kind(**{name: reader(value[name]) for name, reader in readers.items()})
        _check(made)
        return made

    return read


def _check(made: Any) -> None:
    """Raises ValueError for what no journal amounts to."""
    if isinstance(made, Event):
        bounded = made.step <= LAST_STEP and 0 <= made.time < LAST_TIME
    elif isinstance(made, Smoother):
        bounded = 0 <= made.weight <= 1 + ROUNDING and abs(made.sum) <= made.weight * LARGEST[float]
    elif isinstance(made, COUNTED):
        values = [part for value in vars(made).values() for part in (value if isinstance(value, tuple) else (value,))]
        numbers = [value for value in values if type(value) in (int, float)]
        bounded = all(0 <= number < LAST_TIME for number in numbers if isinstance(number, float))
        bounded &= all(0 <= number <= LAST_STEP for number in numbers if isinstance(number, int))
    else:
        return
    if not bounded:
        raise ValueError("a number is out of all bounds")


def _typed(value: Any, hint: Any) -> Any:
    if not fits(value, hint):
        raise ValueError(f"{value!r:.80} is not of the type {hint}")
    return value


@cache
def _stored(kind: type) -> dict[str, Any]:
    """The types of the fields that are stored, by name."""
    hints = get_type_hints(kind)
    return {spec.name: hints[spec.name] for spec in fields(kind) if spec.init and spec.metadata.get(STORED, True)}
