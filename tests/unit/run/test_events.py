"""Events and their journal."""

import json
import math
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.runs import run_started
from tests.unit.run.journals import read, write_journal
from tui_trainer.run.codec import decode, encode
from tui_trainer.run.events import (
    EVENTS,
    MAX_NUMBER_NAME,
    MAX_NUMBERS,
    Activity,
    Alert,
    BranchStarted,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    Layers,
    PartialSample,
    Resources,
    RunStarted,
    Sample,
    ScheduleChanged,
    Stage,
    StateChanged,
    Step,
)
from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import JOURNAL_FORMAT, NewerFormatError
from tui_trainer.run.journal import Journal
from tui_trainer.run.run_parts import RunMachine, RunModel, RunPlan, RunSampling, RunSource

RUN: dict[str, Any] = {
    "run": "cats",
    "path": "runs/cats",
    "corpus": "cats",
    "versions": {"python": "3.11", "torch": "2.9"},
    "device": "cpu",
    "precision": "fp32",
    "preset": "nano",
    "parameters": 808_576,
    "layers": 4,
    "width": 128,
    "heads": 4,
    "context": 64,
    "tokenizer": "char",
    "vocab_size": 65,
    "fingerprint": "ab" * 32,
    "train_tokens": 900,
    "val_tokens": 100,
    "unigram_entropy": 3.3,
    "tokens_per_epoch": 1000,
    "tokens_per_step": 768,
    "steps": 5000,
    "schedule": "wsd",
    "lr": 3e-3,
    "min_lr": 0.0,
    "warmup": 100,
    "clip": 1.0,
    "temperature": 0.8,
    "prompt": "The",
    "optimizer": "adamw",
}

PART_NAMES = {"source", "model", "machine", "plan", "sampling"}

EXAMPLES: list[Event] = [
    run_started(time=1.5, **RUN),
    Step(
        step=1,
        time=2.5,
        loss=4.1,
        lr=1e-3,
        grad_norm=0.5,
        weight_norm=140.0,
        tokens=768,
        step_seconds=0.1,
        tokens_per_second=7680.0,
    ),
    run_started(time=1.5, run="another tool's", format=1),
    Step(step=2, time=2.5, loss=None, numbers={"momentum": 0.9, "loss_scale": 65536, "entropy": None}),
    Layers(step=2, time=2.5, numbers={"grad_norm": [0.1, None, 3], "dead": []}),
    BranchStarted(step=2, time=2.5, id=2, parent=1),
    Evaluation(
        step=2, time=3.5, train_loss=1.0, val_loss=4.0, perplexity=54.6, bits_per_byte=5.8, best=True, part="sample"
    ),
    Evaluation(step=2, time=3.5, train_loss=None, val_loss=4.0, perplexity=54.6, bits_per_byte=5.8, best=True),
    Sample(step=2, time=3.5, prompt="The\n", text='cat "sat" \u732b \x1b[2J\u2028', temperature=0.8, top_k=0, seed=1),
    PartialSample(step=2, time=3.5, prompt="The", text="ca", temperature=0.8),
    CheckpointSaved(step=2, time=3.5, path="runs/cats/checkpoints/step-00000002", reason="best"),
    StateChanged(step=2, time=3.5, state="paused", reason="by keyboard"),
    CommandApplied(step=2, time=3.5, name="set_temperature", value=0.5, source="keyboard"),
    CommandApplied(step=2, time=3.5, name="stop", value=True, source="SIGTERM"),
    CommandApplied(step=2, time=3.5, name="pause", value=None, source="keyboard"),
    Alert(step=2, time=3.5, kind="divergence", severity="error", message="The loss is not finite."),
    Resources(step=2, time=3.5, memory_bytes=10**9, device_memory_bytes=0),
    Activity(step=2, time=3.5, doing="validating"),
    Stage(step=0, time=0.5, stage="reading", done=5, total=10),
    ScheduleChanged(step=4, time=2.0, steps=9, schedule="wsd", lr=1e-3, min_lr=0.0, warmup=2, reason="9, as x"),
    ScheduleChanged(step=4, time=2.0, steps=9, schedule="wsd", lr=1e-3, min_lr=0.0, warmup=2, factor=0.5, until=8),
]

PARTS = (RunSource, RunModel, RunMachine, RunPlan, RunSampling)


def test_every_kind_has_an_example_here() -> None:
    assert {type(event) for event in EXAMPLES} == set(EVENTS.values()) == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
def test_an_event_survives_its_line(event: Event) -> None:
    line = encode(event)
    assert decode(line) == event
    assert "\n" not in line
    assert list(json.loads(line))[:3] == ["event", "step", "time"]


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
    assert names["eval"] == {"train_loss", "val_loss", "perplexity", "bits_per_byte", "best", "part"}
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


# -- the file ------------------------------------------------------------------------------------------------------

WRITTEN = [event for event in EXAMPLES if event.journalled]


def test_a_line_an_event(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write_journal(tmp_path, *WRITTEN)
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line)["event"] for line in lines] == [event.event for event in WRITTEN]
    assert list(read(path)) == WRITTEN


def test_an_event_is_on_disk_at_once(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder:
        journal = Journal(folder)
    journal.append(WRITTEN[0])
    assert list(read(tmp_path / "journal.jsonl")) == WRITTEN[:1]
    journal.close()


def test_a_journal_is_gone_on_with(tmp_path: Path) -> None:
    for event in WRITTEN:
        write_journal(tmp_path, event)
    assert list(read(tmp_path / "journal.jsonl")) == WRITTEN


def test_damage_in_the_middle_costs_its_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    good = [encode(event).encode() for event in WRITTEN[:2]]
    path.write_bytes(good[0] + b"\n\xff\xfe{\x00\n\n" + good[1] + b"\n")
    assert list(read(path)) == WRITTEN[:2]


@pytest.mark.parametrize("torn", [b'{"event": "st', b"x" * 65_536, b"\xe7\x8c" * 100_000, b"\x00"], ids=range(4))
@pytest.mark.parametrize("whole", [0, 1, 5])
def test_a_torn_last_line_is_cut_before_more_is_written(tmp_path: Path, torn: bytes, whole: int) -> None:
    path = tmp_path / "journal.jsonl"
    write_journal(tmp_path, *WRITTEN[:whole])
    before = path.read_bytes()
    path.write_bytes(before + torn)
    assert list(read(path)) == WRITTEN[:whole]
    write_journal(tmp_path, *WRITTEN[whole : whole + 1])
    assert path.read_bytes() == before + encode(WRITTEN[whole]).encode() + b"\n"


def test_a_whole_journal_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write_journal(tmp_path, *WRITTEN)
    before = path.read_bytes()
    write_journal(tmp_path)
    assert path.read_bytes() == before


def test_text_that_is_no_unicode_is_kept(tmp_path: Path) -> None:
    event = CheckpointSaved(step=1, time=1.0, path="caf\udce9", reason="best")
    write_journal(tmp_path, event)
    (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    assert list(read(tmp_path / "journal.jsonl")) == [event]
