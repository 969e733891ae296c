"""The state of a run in JSON, and back; what is no state is refused."""

import json
from typing import Any

import pytest

from tests import scripted
from tests.folding import folded
from tests.unit.sessions.test_journal_reader import eventful
from tui_trainer.history.history import History
from tui_trainer.run.events import Event
from tui_trainer.state.run_state import HALF_LIVES, RunState
from tui_trainer.state.serialization import dump_state, load_state
from tui_trainer.state.snapshot import Snapshot

RUNS = {
    "empty": [],
    "running": scripted.running(),
    "finished": scripted.finished(),
    "overfitted": scripted.overfitted(),
    "failed": scripted.failed(),
    **{f"eventful {seed}": eventful(seed) for seed in range(300, 303)},
}


def stored(events: list[Event]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(dump_state(folded(events)))
    return values


@pytest.mark.parametrize("name", RUNS)
def test_what_was_stored_is_read(name: str) -> None:
    state = folded(RUNS[name])
    read = load_state(dump_state(state), state.history)
    state.version, state.shown = 1, state.shown.changed({"stage": None, "stages_done": (), "partial_sample": None})
    assert read == state


@pytest.mark.parametrize("name", RUNS)
def test_it_goes_on_from_there_as_if_nothing_had_happened(name: str) -> None:
    events = RUNS[name]
    middle = len(events) // 2
    read = load_state(dump_state(folded(events[:middle])), History())
    for event in events[middle:]:
        read.apply(event)
    assert dump_state(read) == dump_state(folded(events))


def part_with(values: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of a stored state that has a field."""
    part: dict[str, Any] = values if name in values else values["shown"]
    return part


@pytest.mark.parametrize("name", [*stored([]), *stored([])["shown"]])
def test_a_state_lacks_nothing(name: str) -> None:
    values = stored(scripted.running())
    del part_with(values, name)[name]
    with pytest.raises((ValueError, TypeError, KeyError)):
        load_state(json.dumps(values), History())


SHOWN_OR_NONE = ("run", "last_step", "last_evaluation", "last_checkpoint", "schedule")

WRONG: list[tuple[str, Any]] = [
    *((name, wrong) for name in ("samples", "alerts", "marks") for wrong in (5, None, {}, [5], [None], [{}], "text")),
    *((name, wrong) for name in SHOWN_OR_NONE for wrong in (5, {}, [], "x")),
    *((name, wrong) for name in ("clock", "absences", "smoothers") for wrong in (None, 5, {}, [])),
    *(("temperature", wrong) for wrong in ("1", None, True, 1e300, float("nan"), float("inf"), [])),
    *(("seen", wrong) for wrong in (1.5, "1", None, 10**30)),
    ("prompt", None),
    ("first_samples", {"The": 5}),
    ("first_samples", [5]),
    ("smoothers", {name: {"half_life": 0.0, "sum": 0.0, "weight": 0.0} for name in HALF_LIVES}),
    ("smoothers", {name: {"half_life": -1.0, "sum": 0.0, "weight": 0.0} for name in HALF_LIVES}),
    ("smoothers", {"smoothed_loss": {"half_life": 1.0, "sum": 0.0, "weight": 0.0}}),
    ("shown", {}),
    ("state", "asleep"),
    ("state", None),
    ("step", -1),
]


@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_state_is_refused(name: str, wrong: Any) -> None:
    values = stored(scripted.running())
    load_state(json.dumps(values), History())
    part_with(values, name)[name] = wrong
    with pytest.raises((ValueError, TypeError, KeyError)):
        load_state(json.dumps(values), History())


@pytest.mark.parametrize("changes", [{"kind": "zigzag"}, {"steps": -1}, {"lr": -1.0}, {"factor": 0.0}, {"until": -1}])
def test_a_schedule_that_nobody_can_follow_is_refused(changes: dict[str, Any]) -> None:
    values = stored(scripted.running())
    values["shown"]["schedule"] |= changes
    with pytest.raises(ValueError):
        load_state(json.dumps(values), History())


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        *((("clock", "elapsed"), wrong) for wrong in (-1e9, 1e38)),
        (("clock", "last_event_time"), 1e38),
        (("clock", "step", "half_life"), -1.0),
        (("clock", "step", "weight"), 1e-320),
        (("clock", "step", "weight"), 5.0),
        (("clock", "pace", "between"), -1.0),
        (("clock", "pace", "recent"), [0.5, float("nan")]),
        (("clock", "pace", "blocks"), [1e38]),
        (("absences", "viewers"), -5),
        (("absences", "current", "seconds"), 3e38),
        (("absences", "current", "until"), -3e38),
        (("clipped",), -1),
        (("seen",), 2**62),
        (("shown", "temperature"), -9.0),
        (("shown", "step"), 2**62),
        (("shown", "last_step", "time"), -1.0),
        (("shown", "last_step", "step"), 2**62),
    ],
)
def test_a_number_that_no_journal_amounts_to_is_refused(path: tuple[str, ...], wrong: float) -> None:
    """A stranger may have signed it."""
    values = stored(scripted.running())
    part = values
    for name in path[:-1]:
        part = part[name]
    assert path[-1] in part
    part[path[-1]] = wrong
    with pytest.raises(ValueError):
        load_state(json.dumps(values), History())


def test_nothing_of_a_state_is_forgotten() -> None:
    """Whoever adds a field says whether it is stored."""
    assert set(stored([])) | {"version"} == set(RunState.__dataclass_fields__)
    derived = {
        "smoothed_loss",
        "step_seconds",
        "tokens_per_second",
        "time_left",
        "elapsed",
        "clipped_share",
        "absence",
    }
    passing = {"stage", "stages_done", "activity", "partial_sample", "playing_speed"}
    assert set(stored([])["shown"]) | derived | passing | {"history", "version"} == set(Snapshot.__dataclass_fields__)
