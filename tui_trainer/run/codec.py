"""Events as lines of JSON, in a journal and on the control socket. They may come from an untrusted source."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from tui_trainer.run.events import EVENTS, MAX_NUMBER_NAME, MAX_NUMBERS, Event, RunStarted
from tui_trainer.run.formats import NewerFormatError, check_journal_format

LARGEST: Final[dict[type, float]] = {int: 2**63, float: 3.5e38}
"""No number of a run is larger, in fp32; a larger one counts as not finite."""

LAST_STEP: Final = 10**12
"""No run has more steps: an event of a later one is damage."""

LAST_TIME: Final = 1e11
"""Unix seconds, in the year 5138; events with a later time, or one before 1970, are invalid."""

NUMBERS: Final = "numbers"
"""The field that has the numbers of a line which have no field."""


def encode(event: Event) -> str:
    """One line, without its line end; a number that is not finite becomes null."""
    kind: Any = type(event)
    record: dict[str, Any] = {"event": event.event, "step": event.step, **vars(event)}
    for name in _flat(kind):
        value = record.pop(name)
        record |= value if name == NUMBERS else vars(value)
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(record), ensure_ascii=False, allow_nan=False)


def encode_lines(events: Iterable[Event]) -> bytes:
    """A line for each event, as in a journal and on the control socket."""
    return "".join(f"{encode(event)}\n" for event in events).encode(errors="backslashreplace")


def _finite(value: Any) -> Any:
    """The value with null for every number in it that is not finite."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decode(line: bytes | str) -> Event | None:
    """The event of a line; None if it is damaged, has impossible values, or is of an unknown kind.

    Raises NewerFormatError for a `run` event of a newer format.
    """
    try:
        text = line if isinstance(line, str) else line.decode(errors="replace")
        return _decoded(_JSON.decode(text))
    except NewerFormatError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _decoded(record: Mapping[str, Any]) -> Event | None:
    """Raises as `decode` does, and for what is no event."""
    kind: Any = EVENTS[record["event"]]
    if kind is RunStarted:
        check_journal_format(record.get("format", 1))
    values: dict[str, Any] = {"time": 0.0}
    for name, fit in _checks(kind).items():
        if name in record:
            values[name] = record[name]
            if not fit(values[name]):
                return None
    if not 0 <= values["time"] < LAST_TIME or values.get("step", 0) > LAST_STEP:
        return None
    for name, hint in _flat(kind).items():
        values[name] = _further_numbers(record, kind, hint) if name == NUMBERS else _part(record, hint)
    event: Event = kind(**values)
    return event


def _part(record: Mapping[str, Any], part: Any) -> Any:
    """A part of an event, of those of its fields that a record has and that are not null. Raises ValueError."""
    hints = _hints(part)
    values = {name: record[name] for name in hints if record.get(name) is not None}
    if not all(fits(value, hints[name]) for name, value in values.items()):
        raise ValueError("a value is of another type than it should be")
    return part(**values)


def _further_numbers(record: Mapping[str, Any], kind: Any, hint: Any) -> dict[str, Any]:
    """What a record has of numbers that are not in a field, the first so many."""
    known, number = _names(kind), get_args(hint)[1]
    if record.keys() <= known:  # as nearly always, and there are many steps
        return {}
    names = (name for name in record if name not in known and len(name) <= MAX_NUMBER_NAME)
    return dict(islice(((name, record[name]) for name in names if fits(record[name], number)), MAX_NUMBERS))


def _number(digits: str) -> float | None:
    value = float(digits)
    return value if abs(value) < LARGEST[float] else None


_JSON: Final = json.JSONDecoder(parse_float=_number, parse_constant=lambda name: None)


@cache
def _flat(kind: Any) -> dict[str, Any]:
    """The fields of a kind of event whose contents lie among the others in a line, with their types."""
    return {name: hint for name, hint in _all_hints(kind).items() if is_dataclass(hint) or name == NUMBERS}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The type of every other field."""
    return {name: hint for name, hint in _all_hints(kind).items() if name not in _flat(kind)}


@cache
def _checks(kind: Any) -> dict[str, Callable[[Any], bool]]:
    """By field, the function that checks whether a value is of its type."""
    return {name: _check(hint) for name, hint in _hints(kind).items()}


@cache
def _names(kind: Any) -> frozenset[str]:
    """What no further number is called."""
    return frozenset({"event", *_all_hints(kind)})


def _all_hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {spec.name: hints[spec.name] for spec in fields(kind)}


def fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of an event field's type."""
    return _check(hint)(value)


@cache
def _check(hint: Any) -> Callable[[Any], bool]:
    """A function that checks whether a JSON value is of a type; cached, as there are many lines."""
    if get_origin(hint) in (Union, UnionType):
        first, *others = sorted(get_args(hint), key=lambda part: part is NoneType)
        check, rest = _check(first), _check(Union[*others])
        return lambda value: check(value) or rest(value)
    if hint in (int, float):
        largest = LARGEST[hint]
        return lambda value: type(value) in (int, hint) and -largest < value < largest
    if get_origin(hint) is dict:
        part = _check(get_args(hint)[1])
        return lambda value: isinstance(value, dict) and all(map(part, value.values()))
    if get_origin(hint) is list:
        part = _check(get_args(hint)[0])
        return lambda value: isinstance(value, list) and all(map(part, value))
    kind = get_origin(hint) or hint
    return lambda value: isinstance(value, kind)
