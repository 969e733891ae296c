"""Events and their journal."""

import json
import math
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.runs import run_started
from tests.unit.run.examples import EXAMPLES, RUN
from tests.unit.run.journals import read
from tui_trainer.run.codec import decode, encode
from tui_trainer.run.events import (
    EVENTS,
    MAX_NUMBER_NAME,
    MAX_NUMBERS,
    Event,
    Layers,
    RunStarted,
    Sample,
    StateChanged,
    Step,
)
from tui_trainer.run.formats import JOURNAL_FORMAT, NewerFormatError
from tui_trainer.run.run_parts import RunMachine, RunModel, RunPlan, RunSampling, RunSource

PART_NAMES = {"source", "model", "machine", "plan", "sampling"}

PARTS = (RunSource, RunModel, RunMachine, RunPlan, RunSampling)


def test_every_kind_has_an_example_here() -> None:
    assert {type(event) for event in EXAMPLES} == set(EVENTS.values()) == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
def test_an_event_survives_its_line(event: Event) -> None:
    line = encode(event)
    assert decode(line) == event
    assert "\n" not in line
    assert list(json.loads(line))[:3] == ["event", "step", "time"]


@pytest.mark.parametrize("number", [-4, 0])
def test_a_branch_that_cannot_be_is_no_event(number: int) -> None:
    assert decode(f'{{"event": "run", "run": "x", "branch": {number}}}') is None
    assert decode(f'{{"event": "branch", "id": {number}, "parent": 1, "step": 5}}') is None
    assert decode(f'{{"event": "branch", "id": 2, "parent": {number}, "step": 5}}') is None


def test_a_journal_without_the_model_that_wrote_a_sample_is_read() -> None:
    sample = '{"event": "sample", "step": 2, "time": 3.5, "prompt": "a", "text": "b", "temperature": 1.0, "top_k": 0, '
    assert decode(sample + '"seed": 1}') == Sample(
        step=2, time=3.5, prompt="a", text="b", temperature=1, top_k=0, seed=1
    )
    assert decode('{"event": "state", "step": 2, "time": 3.5, "state": "finished"}') == StateChanged(
        step=2, time=3.5, state="finished", reason="", model=""
    )


def test_the_fields_are_those_of_the_public_format() -> None:
    """A journal is read by other programs: a field may be added here, none may be renamed or go."""
    names = {kind: {spec.name for spec in fields(event)} - {"step", "time"} for kind, event in EVENTS.items()}
    assert names["step"] - {"numbers"} == {
        *("loss", "lr", "grad_norm", "weight_norm", "tokens", "step_seconds", "tokens_per_second")
    }
    assert names["layers"] == {"numbers"}
    assert names["branch"] == {"id", "parent"}
    assert names["eval"] == {"train_loss", "val_loss", "perplexity", "bits_per_byte", "best", "part", "standard_error"}
    assert names["sample"] == {"prompt", "text", "temperature", "top_k", "seed", "model"}
    assert names["checkpoint"] == {"path", "reason", "held_seconds", "write_seconds"}
    assert names["state"] == {"state", "reason", "model"}
    assert names["command"] == {"name", "value", "source"}
    assert names["schedule"] == {"steps", "schedule", "lr", "min_lr", "warmup", "reason", "factor", "until"}
    assert names["alert"] == {"kind", "severity", "message"}
    assert names["run"] == {"run", "format", "path", "branch", "reasons", *PART_NAMES}
    told = {spec.name for part in PARTS for spec in fields(part)}
    assert told == RUN.keys() - {"run", "path"}
    assert {kind for kind, event in EVENTS.items() if not event.journalled} == {"stage", "partial_sample", "activity"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_becomes_null(value: float) -> None:
    line = encode(
        Step(
            step=1,
            loss=value,
            lr=0.1,
            grad_norm=value,
            weight_norm=1.0,
            tokens=1,
            step_seconds=1.0,
            tokens_per_second=1.0,
        )
    )
    record = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert record["loss"] is record["grad_norm"] is None
    assert record["weight_norm"] == 1.0


def test_what_is_not_finite_becomes_null_at_any_depth() -> None:
    layers = Layers(step=1, numbers={"grad_norm": [1.0, math.nan, -math.inf], "all": [math.inf]})
    record = json.loads(encode(layers), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (record["grad_norm"], record["all"]) == ([1.0, None, None], [None])
    decoded = decode('{"event": "layers", "step": 1, "grad_norm": [1.0, NaN, 1e400], "rank": [[1]], "name": ["x"]}')
    assert isinstance(decoded, Layers) and decoded.numbers == {"grad_norm": [1.0, None, None]}


def test_a_step_keeps_every_further_number_by_its_name() -> None:
    line = '{"event": "step", "step": 3, "time": 1.0, "loss": 2.5, "accuracy": 0.5, "bad": NaN, "epoch": 2, '
    told = decode(line + '"note": "x", "ok": true, "deep": {"a": 1}, "numbers": 7}')
    assert told == Step(step=3, time=1.0, loss=2.5, numbers={"accuracy": 0.5, "bad": None, "epoch": 2})
    assert json.loads(encode(told))["accuracy"] == 0.5


def test_further_numbers_are_bounded() -> None:
    many = {f"n{number}": number for number in range(10 * MAX_NUMBERS)}
    long = {"x" * (MAX_NUMBER_NAME + 1): 1, "y" * MAX_NUMBER_NAME: 2}
    decoded = decode(json.dumps({"event": "step", "step": 1, "loss": 1.0, **long, **many}))
    assert isinstance(decoded, Step) and len(decoded.numbers) == MAX_NUMBERS
    assert list(decoded.numbers)[:2] == ["y" * MAX_NUMBER_NAME, "n0"]
    for numbers in (many, long, {"lr": 1.0}, {"event": 1.0}):
        with pytest.raises(ValueError):
            Step(step=1, loss=1.0, numbers=numbers)


def test_no_name_is_told_twice_in_a_run() -> None:
    """The parts of a run lie flat in its line, as in journals that know no parts."""
    names = [spec.name for kind in (RunStarted, *PARTS) for spec in fields(kind)]
    assert len(set(names)) == len(names)
    assert not {"event", "numbers"} & set(names)


def test_what_a_run_does_not_tell_is_empty_and_so_is_null() -> None:
    bare = decode('{"event": "run", "run": "x", "format": 1, "steps": null, "parameters": NaN}')
    assert bare == run_started(run="x", time=bare.time if bare else 0)
    assert isinstance(bare, RunStarted)
    assert (bare.plan.steps, bare.model.parameters, bare.plan.clip, bare.source.unigram_entropy) == (0, 0, None, None)


def test_a_journal_of_a_newer_format_is_refused_with_a_sentence(tmp_path: Path) -> None:
    line = encode(replace(EXAMPLES[0], format=JOURNAL_FORMAT + 1))  # type: ignore[call-arg]
    with pytest.raises(NewerFormatError, match=r"written by a newer version of tui-trainer: update to read it \("):
        decode(line)
    (tmp_path / "journal.jsonl").write_text(f"{encode(EXAMPLES[1])}\n{line}\n")
    with pytest.raises(NewerFormatError):
        read(tmp_path / "journal.jsonl")
    for told in ('"2"', "true", "0", "-1", "1.5", "null", "[]"):
        assert decode(f'{{"event": "run", "run": "x", "format": {told}}}') is None


def test_what_a_newer_version_adds_is_left_out() -> None:
    event = decode('{"event": "state", "step": 3, "time": 1.0, "state": "paused", "mood": "good"}')
    assert event == StateChanged(step=3, time=1.0, state="paused")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        '"step"',
        "{}",
        '{"event": "step", "step": 3}',
        '{"event": "weather", "step": 3, "time": 1.0}',
        '{"event": ["step"], "step": 3}',
        '{"event": "state", "state": "dancing"}',
        '{"event": "state", "state": "paused", "step": -1}',
        '{"event": "checkpoint", "step": -1, "path": "step-00000001", "reason": "asked"}',
        '{"event": "state", "step": 3, "time": 1.0, "sta',
        "\x00\x00\x00",
        "[" * 100_000,
        '{"event": "state", "step": "x", "time": 1.0, "state": "paused"}',
        '{"event": "eval", "step": 1, "train_loss": "low", "val_loss": 1, "perplexity": 1, "bits_per_byte": 1, '
        '"best": true}',
    ],
    ids=range(16),
)
def test_a_damaged_line_is_nothing(line: str) -> None:
    assert decode(line) is None


def test_what_cannot_be_is_refused_by_an_optimized_interpreter_too() -> None:
    lines = [
        '{"event": "state", "state": "dancing"}',
        '{"event": "schedule", "steps": 9, "schedule": "zigzag", "lr": 1.0, "min_lr": 0.0, "warmup": 0}',
        '{"event": "schedule", "steps": -9, "schedule": "cosine", "lr": 1.0, "min_lr": 0.0, "warmup": 0}',
        '{"event": "schedule", "steps": 9, "schedule": "cosine", "lr": 0.0, "min_lr": 0.0, "warmup": 0}',
        '{"event": "schedule", "steps": 9, "schedule": "cosine", "lr": 1.0, "min_lr": 0.0, "warmup": 0, "factor": 0.0}',
    ]
    program = "import sys; from tui_trainer.run.codec import decode; print([*map(decode, sys.argv[1:])])"
    told = subprocess.run([sys.executable, "-O", "-c", program, *lines], capture_output=True, text=True, check=True)
    assert told.stdout == "[None, None, None, None, None]\n"
