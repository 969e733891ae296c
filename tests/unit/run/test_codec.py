"""Lines that a stranger wrote: what is in them is either a plain value of its field's kind, or nothing."""

import json
from typing import Any

import pytest

from tests.unit.run.examples import EXAMPLES
from tui_trainer.run.codec import decode, encode
from tui_trainer.run.events import EVENTS, RunStarted
from tui_trainer.state.run_state import RunState

ABSURD: list[Any] = [
    -1,
    0,
    2**63,
    -(2**63),
    10**400,
    1e300,
    -1e300,
    3.5e38,
    True,
    None,
    "",
    "x",
    "\ud800",
    "\x1b[2J",
    [],
    {},
    {"a": 1},
    {"a": {}},
    [[]],
]


def changed(event: Any, name: str, value: Any) -> str:
    return json.dumps({**json.loads(encode(event)), name: value})


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
def test_whatever_stands_in_a_field_a_state_is_made_of_it_or_the_line_is_left_out(event: Any) -> None:
    for name in json.loads(encode(event)).keys() - {"event", "format"}:
        for value in ABSURD:
            state = RunState()
            for line in (encode(EXAMPLES[0]), encode(EXAMPLES[1]), changed(event, name, value)):
                if (decoded := decode(line)) is not None:
                    state.apply(decoded)
            snapshot = state.snapshot()
            if snapshot.schedule is not None:
                assert snapshot.schedule.at(snapshot.step) >= 0


@pytest.mark.parametrize("digits", ["1e400", "-1e400", "1e39", "NaN", "Infinity"])
def test_a_number_that_is_none_is_a_gap(digits: str) -> None:
    line = encode(EXAMPLES[1]).replace('"loss": 4.1', f'"loss": {digits}')
    decoded = decode(line)
    assert decoded is not None and vars(decoded)["loss"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", 10**400),
        ("time", -1.0),
        ("time", 1e12),
        ("schedule", "zigzag"),
        ("steps", -1),
        ("lr", 0.0),
        ("versions", {"torch": 2}),
        ("reasons", {"steps": {"deep": []}}),
    ],
)
def test_the_impossible_is_left_out(name: str, value: Any) -> None:
    assert isinstance(EXAMPLES[0], RunStarted)
    assert decode(changed(EXAMPLES[0], name, value)) is None


def test_depth_is_nothing_to_fall_into() -> None:
    assert decode('{"event": "state", "state": ' + "[" * 100_000) is None
    assert decode('{"event": ' + '{"a": ' * 100_000) is None
    assert decode('{"event": "step", "step": ' + "9" * 5000 + "}") is None


def test_every_kind_has_an_example() -> None:
    assert {event.event for event in EXAMPLES} == set(EVENTS)


def test_an_event_of_a_step_that_no_run_has_is_damage() -> None:
    """It would leave no detail in any chart."""
    line = '{"event": "step", "step": %d, "loss": 1.0}'
    assert decode(line % 10**12) is not None
    assert decode(line % (10**12 + 1)) is None
