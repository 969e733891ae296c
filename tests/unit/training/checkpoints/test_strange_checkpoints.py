"""Checkpoints that were written by another version or by a stranger."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.unit.training.checkpoints.forging import forge, read, seal, told
from tests.unit.training.checkpoints.saving import TOKENIZER, Saver, progress
from tests.unit.training.helpers import resume, run_to_end, small_config, stop_after
from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory
from tui_trainer.training.checkpoints import tensor_files
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.format import FILES, LAST_FILE, OPTIMIZER, DamagedError
from tui_trainer.training.recovery.rollback_buffer import copy_state


@pytest.mark.parametrize("changes", [{"format": 4}, {"lookahead": 2}])
def test_a_newer_version_is_told(saver: Saver, changes: dict[str, Any]) -> None:
    path = saver.save(1)
    forge(path, **changes)
    with pytest.raises(InputError, match="The run was saved by a newer version of tui-trainer: update to read it"):
        saver.store.newest()


BAD_FIELDS: list[tuple[str, Any, str]] = [
    ("temperature", -1, "temperature -1 is out of range: it must be at least 0 and at most 5"),
    ("temperature", "hot", "temperature must be a finite number, not 'hot'"),
    ("temperature", float("nan"), "temperature must be a finite number, not nan"),
    ("step", -5, "step -5 is out of range"),
    ("step", 1.5, "step must be a whole number, not 1.5"),
    ("step", True, "step must be a whole number, not True"),
    ("tokens", 10**30, "tokens 1000000000000000000000000000000 is out of range"),
    ("best_loss", float("inf"), "best_loss must be a finite number, or null, not inf"),
    ("best_step", 7, "best_step 7 is after step 1"),
    ("lr_factor", 0, "lr_factor 0 is out of range: it must be above 0 and at most 1"),
    ("loss_sum", 10**400, "loss_sum must be a finite number"),
    ("finished", 1, "finished must be true or false, not 1"),
    ("guard", [], r"guard must be finite numbers by their names, not \[\]"),
    ("guard", {"loss.mean": None}, "guard must be finite numbers"),
    ("setup", {"torch": 2}, "setup must be texts by their names"),
    ("prompt", 3, "prompt must be a text, not 3"),
    ("fingerprint", None, "fingerprint is missing"),
    ("reason", 5, "reason must be a text"),
    ("rollback_steps", [2], "rollback_steps must be steps up to 1"),
]


def test_a_field_that_no_trainer_writes_is_named(saver: Saver) -> None:
    path = saver.save(1)
    trainer = told(path)
    for field, value, sentence in BAD_FIELDS:
        seal(path, trainer)
        forge(path, **{field: value})
        with pytest.raises(InputError, match=f"trainer.json: {sentence}") as raised:
            saver.store.newest()
        assert not isinstance(raised.value, DamagedError), sentence


def test_a_guard_that_lacks_a_number_is_refused(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    path = RunDirectory(runs / "cats").checkpoints / "step-00000007"
    guard = told(path)["guard"]
    del guard["loss.mean"]
    forge(path, guard=guard)
    journal = (runs / "cats" / "journal.jsonl").read_bytes()
    outcome = resume(RunDirectory(runs / "cats")).outcome
    assert outcome is not None and outcome.status == 2
    assert outcome.error == "The checkpoint lacks loss.mean of the watch for divergence: it cannot be resumed."
    assert (runs / "cats" / "journal.jsonl").read_bytes() == journal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss.variance", -1),
        ("loss.count", -1),
        ("norm.variance", 1e308),
        ("loss.mean", -1e308),
        ("skipped", -1),
        ("guessing.far", 1e300),
    ],
)
def test_a_guard_with_a_number_that_no_run_has_is_refused(corpus: Path, runs: Path, name: str, value: float) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    path = RunDirectory(runs / "cats").checkpoints / "step-00000007"
    forge(path, guard=told(path)["guard"] | {name: value})
    outcome = resume(RunDirectory(runs / "cats")).outcome
    assert outcome is not None and outcome.status == 2
    what = f"{name} of the watch for divergence"
    assert outcome.error == f"The checkpoint has a value for {what} that no run has: it cannot be resumed."


@pytest.mark.parametrize("shape", [[0, 2**63], [0, 2**62], [0, 2**40, 2**40]])
def test_an_optimizer_of_a_shape_that_cannot_be_is_refused(corpus: Path, runs: Path, shape: list[int]) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    path = RunDirectory(runs / "cats").checkpoints / "step-00000007"
    tensors = load_file(path / OPTIMIZER)
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name in tensors}).encode()
    (path / OPTIMIZER).write_bytes(len(header).to_bytes(8, "little") + header)
    forge(path)
    outcome = resume(RunDirectory(runs / "cats")).outcome
    assert outcome is not None and outcome.status == 2, outcome


def test_what_could_not_be_read_again_is_not_written(saver: Saver) -> None:
    copy = copy_state(saver.model, saver.stepper, 1)
    beyond = replace(progress(1), tokens=2**63)
    with pytest.raises(OSError, match="tokens 9223372036854775808 is out of range"):
        saver.store.save(Contents(beyond, copy.weights, copy.state, saver.model.shape, TOKENIZER), "periodic")
    assert saver.steps() == []


def test_a_directory_of_another_step_is_refused(saver: Saver) -> None:
    saver.save(1).rename(saver.root / "step-00000009")
    with pytest.raises(InputError, match="step-00000009 is of step 1"):
        saver.store.newest()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hidden_size": 10**9}, "must be whole numbers that a model can have"),
        ({"num_hidden_layers": 300}, "--layers 300 is out of range"),
        ({"num_attention_heads": "2"}, "must be whole numbers"),
        ({"vocab_size": 12}, "model.safetensors: lm_head.weight is missing, unknown, or of another shape"),
    ],
)
def test_a_shape_that_no_model_has_is_refused(saver: Saver, changes: dict[str, Any], sentence: str) -> None:
    path = saver.save(1)
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    (path / "config.json").write_text(json.dumps(config | changes), encoding="utf-8")
    forge(path)
    with pytest.raises(InputError, match=sentence):
        saver.store.newest()


def header(entries: Any, data: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


HEADERS = [
    b"",
    b"\xff" * 8,
    (2**62).to_bytes(8, "little") + b"{}",
    header([]),
    header({"a": 1}),
    header({"a": {**ENTRY, "shape": [2**40], "data_offsets": [0, 2**42]}}),
    header({"a": ENTRY}, b"1234"),
    header({"a": ENTRY}, b"1" * 12),
    header({"a": {**ENTRY, "shape": [-2]}}, b"1" * 8),
    header({"a": {**ENTRY, "data_offsets": [0, float("inf")]}}, b"1" * 8),
    header({"a": {**ENTRY, "data_offsets": [0, "8"]}}, b"1" * 8),
    header({"a": {**ENTRY, "data_offsets": [8]}}, b"1" * 8),
    header({"a": {**ENTRY, "shape": [1.5]}}, b"1" * 8),
    header({"a": {**ENTRY, "dtype": "F64", "shape": [1]}}, b"1" * 8),
    header({"a": ENTRY, "b": ENTRY}, b"1" * 8),
    header({"a": {**ENTRY, "data_offsets": [4, 12]}}, b"1" * 12),
]


def test_a_header_that_does_not_describe_its_file_is_refused(saver: Saver) -> None:
    path = saver.save(1)
    for content in HEADERS:
        (path / "optimizer.safetensors").write_bytes(content)
        forge(path)
        with pytest.raises(InputError, match=r"optimizer\.safetensors: it") as raised:
            saver.store.newest()
        assert not isinstance(raised.value, DamagedError), content


def test_a_larger_file_than_any_trainer_writes_is_refused(saver: Saver) -> None:
    path = saver.save(1)
    with (path / LAST_FILE).open("ab") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(InputError, match="has more than 16,777,216 bytes"):
        saver.store.newest()


@pytest.mark.parametrize("file", FILES)
def test_no_memory_is_taken_for_a_file_larger_than_its_model(saver: Saver, file: str) -> None:
    path = saver.save(1)
    with (path / file).open("ab") as grown:
        grown.truncate(2**27 + 1)
    forge(path)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=rf"{file}: it has more than [\d,]+ bytes"):
            saver.store.newest()
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_a_file_that_there_is_no_memory_to_copy_is_not_given_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch, "empty", refuse)
    monkeypatch.setattr(tensor_files, "load", lambda _: pytest.fail("it would panic"))
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        tensor_files.read_tensors(b"12345678")


def test_a_file_that_outgrew_its_model_is_damaged(saver: Saver) -> None:
    path = saver.save(1)
    with (path / "model.safetensors").open("ab") as file:
        file.truncate(2**27)
    with pytest.raises(DamagedError, match="it was changed"):
        read(path)
