"""Events as lines of JSON: in a journal, and between a trainer and a viewer. Whoever wrote them may be a stranger."""

import json
import math
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from tui_trainer.run.events import EVENTS, Event

LARGEST: Final[dict[type, float]] = {int: 2**63, float: 3.5e38}
"""No number of a run is larger, in fp32; a larger one counts as not finite."""

LAST_TIME: Final = 1e11
"""Unix seconds, in the year 5138: what is said to have happened later, or before 1970, did not."""


def encode(event: Event) -> str:
    """One line, without its line end; a number that is not finite becomes null."""
    record: dict[str, Any] = {"event": event.event, "step": event.step, **vars(event)}
    return json.dumps({name: _finite(value) for name, value in record.items()}, ensure_ascii=False)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decode(line: bytes | str) -> Event | None:
    """The event of a line; None for one that is damaged, says the impossible, or is of a kind not known here."""
    try:
        text = line if isinstance(line, str) else line.decode(errors="replace")
        record = json.loads(text, parse_float=_number, parse_constant=lambda name: None)
        hints = _hints(record["event"])
        values = {name: record[name] for name in hints if name in record}
        whole = all(fits(value, hints[name]) for name, value in values.items())
        return EVENTS[record["event"]](**values) if whole and 0 <= values.get("time", 0) < LAST_TIME else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _number(digits: str) -> float | None:
    value = float(digits)
    return value if abs(value) < LARGEST[float] else None


@cache
def _hints(event: str) -> dict[str, Any]:
    """The type of every field of a kind of event."""
    kind = EVENTS[event]
    hints = get_type_hints(kind)
    return {spec.name: hints[spec.name] for spec in fields(kind)}


def fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of an event field's type."""
    if get_origin(hint) in (Union, UnionType):
        return any(fits(value, part) for part in get_args(hint))
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool) and abs(value) < LARGEST[hint]
    if get_origin(hint) is dict:
        _, kind = get_args(hint)
        return isinstance(value, dict) and all(fits(part, kind) for part in value.values())
    return isinstance(value, get_origin(hint) or hint)
