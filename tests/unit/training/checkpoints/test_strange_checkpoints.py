"""Checkpoints that cannot be read, were written by another version or by a stranger, or are reached by links."""

import json
import os
import tracemalloc
from dataclasses import replace
from errno import EACCES, EIO, EMFILE
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.unit.training.checkpoints.forging import forge, read, told
from tests.unit.training.checkpoints.test_store import TOKENIZER, Saver, progress
from tests.unit.training.helpers import Resumed, ScriptedSession, run_to_end, small_config, stop_after
from tui_trainer.config import InputError
from tui_trainer.run import folder
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CheckpointSaved, Event, Step
from tui_trainer.run.folder import Folder
from tui_trainer.training.checkpoints import tensor_files
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.format import FILES, LAST_FILE, OPTIMIZER, DamagedError
from tui_trainer.training.recovery.rollback_buffer import copy_state


@pytest.fixture
def saver(tmp_path: Path) -> Saver:
    return Saver(tmp_path / "run" / "checkpoints")


def resume(directory: RunDirectory, steps: int = 0) -> ScriptedSession:
    session = Resumed(directory, steps)
    session.run()
    return session


# -- what cannot be read is not damaged ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "reason"), [*((file, EMFILE) for file in (*FILES, LAST_FILE)), (LAST_FILE, EACCES), (FILES[1], EIO)]
)
def test_a_failure_to_read_is_told_and_sets_nothing_aside(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, file: str, reason: int
) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    directory = RunDirectory(runs / "cats")
    before = sorted(directory.checkpoints.rglob("*"))
    open_to_read = Folder.open_to_read

    def refuse(self: Folder, name: str) -> BinaryIO:
        if name == file and self.path.name == "step-00000007":
            raise OSError(reason, os.strerror(reason))
        return open_to_read(self, name)

    with monkeypatch.context() as patches:
        patches.setattr(Folder, "open_to_read", refuse)
        outcome = resume(directory).outcome
    assert outcome is not None and outcome.status == 2
    place = directory.checkpoints / "step-00000007" / file
    assert outcome.error == (
        f"{place} cannot be read: {os.strerror(reason)}. "
        "Put that right, or move step-00000007 away to go on from the one before it."
    )
    assert sorted(directory.checkpoints.rglob("*")) == before
    assert resume(directory).of(Step)[0].step == 8


def test_a_refused_resume_sets_nothing_aside_and_the_next_one_tells(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    directory = RunDirectory(runs / "cats")
    (directory.checkpoints / "step-00000007" / "model.safetensors").write_bytes(b"")
    assert resume(directory, steps=5).outcome.status == 2  # type: ignore[union-attr]
    assert (directory.checkpoints / "step-00000007").is_dir()
    session = resume(directory)
    assert session.of(Alert)[0].message == (
        f"A newer checkpoint was damaged: it is kept as {directory.checkpoints / '.unreadable-step-00000007'}."
    )
    assert session.of(Step)[0].step == 7


def resumed_in_micro_batches(corpus: Path, runs: Path, batch_size: int, accumulate: int) -> ScriptedSession:
    """A run of 4 sequences a step, taken up from a checkpoint that tells of such micro-batches."""
    run_to_end(small_config(corpus), stop_after(7))
    directory = RunDirectory(runs / "cats")
    forge(directory.checkpoints / "step-00000007", batch_size=batch_size, accumulate=accumulate)
    return resume(directory)


@pytest.mark.parametrize(("batch_size", "accumulate"), [(65536, 1), (4, 2), (2, 0), (3, 1), (2, 2**31)])
def test_a_checkpoint_with_steps_of_another_size_is_refused(
    corpus: Path, runs: Path, batch_size: int, accumulate: int
) -> None:
    outcome = resumed_in_micro_batches(corpus, runs, batch_size, accumulate).outcome
    assert outcome is not None and outcome.status == 2
    assert outcome.error == (
        f"The checkpoint of cats has steps of {batch_size:,} x {accumulate:,} sequences, its config.toml of 4 x 1 "
        "(batch_size x accumulate): restore that file, or move the checkpoint away to go on from the one before it."
    )


@pytest.mark.parametrize(("batch_size", "accumulate"), [(2, 2), (1, 4)])
def test_a_checkpoint_of_smaller_micro_batches_is_not(
    corpus: Path, runs: Path, batch_size: int, accumulate: int
) -> None:
    assert resumed_in_micro_batches(corpus, runs, batch_size, accumulate).of(Step)[0].step == 8


def test_a_best_checkpoint_that_is_gone_is_told_at_the_end(corpus: Path, runs: Path) -> None:
    settings: dict[str, Any] = {"lr": 3.0, "warmup": 11, "eval_every": 2, "keep": 1}
    run_to_end(small_config(corpus, **settings), stop_after(9))
    directory = RunDirectory(runs / "cats")
    best = directory.checkpoints / (directory.checkpoints / "best").read_text(encoding="utf-8")
    for file in best.iterdir():
        file.unlink()
    best.rmdir()
    session = resume(directory)
    (alert,) = [alert for alert in session.of(Alert) if "best model" in alert.message]
    assert (alert.kind, alert.severity) == ("checkpoint", "warning")
    assert alert.message.startswith(f"The best model, of step {int(best.name[5:])}, cannot be shown: {best} cannot")
    assert session.snapshot().state == "finished"


def test_a_best_pointer_that_is_gone_costs_nothing(corpus: Path, runs: Path) -> None:
    settings: dict[str, Any] = {"lr": 3.0, "warmup": 11, "eval_every": 2, "keep": 1}
    run_to_end(small_config(corpus, **settings), stop_after(9))
    pointer = RunDirectory(runs / "cats").checkpoints / "best"
    named = pointer.read_text(encoding="utf-8")
    pointer.unlink()
    session = resume(RunDirectory(runs / "cats"))
    assert pointer.read_text(encoding="utf-8") == named
    assert "best" in session.snapshot().reason


def test_steps_are_ordered_as_numbers(saver: Saver) -> None:
    for step in (99_999_950, 100_000_050, 100_000_100):
        saver.save(step)
    assert saver.newest() == 100_000_100
    for step in (100_000_150, 100_000_200):
        saver.save(step)
    assert saver.steps() == [100_000_100, 100_000_150, 100_000_200]


def test_a_checkpoint_that_cannot_be_looked_at_now_is_not_set_aside(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver.save(1)
    stat = Folder.stat

    def refuse(self: Folder, name: str) -> os.stat_result:
        if name in FILES:
            raise OSError(EIO, os.strerror(EIO))
        return stat(self, name)

    with monkeypatch.context() as patches:
        patches.setattr(Folder, "stat", refuse)
        with pytest.raises(OSError, match=os.strerror(EIO)):
            saver.save(1)
    assert saver.steps() == [1]
    assert saver.newest() == 1


def test_what_was_set_aside_before_stays(saver: Saver) -> None:
    for content in (b"first", b"second"):
        (saver.save(1) / FILES[1]).write_bytes(content)
        saver.store.resume_from(progress(0), damaged=["step-00000001"])
    aside = [saver.root / name / FILES[1] for name in (".unreadable-step-00000001", ".unreadable-step-00000001-2")]
    assert [file.read_bytes() for file in aside] == [b"first", b"second"]


# -- what was written by another version, or by a stranger ---------------------------------------------------------


@pytest.mark.parametrize("changes", [{"format": 4}, {"lookahead": 2}])
def test_a_newer_version_is_told(saver: Saver, changes: dict[str, Any]) -> None:
    path = saver.save(1)
    forge(path, **changes)
    with pytest.raises(InputError, match="was written by a newer version of tui-trainer: update to resume"):
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


@pytest.mark.parametrize(("field", "value", "sentence"), BAD_FIELDS)
def test_a_field_that_no_trainer_writes_is_named(saver: Saver, field: str, value: Any, sentence: str) -> None:
    path = saver.save(1)
    forge(path, **{field: value})
    with pytest.raises(InputError, match=f"trainer.json: {sentence}") as raised:
        saver.store.newest()
    assert not isinstance(raised.value, DamagedError)


def test_a_guard_that_lacks_a_number_is_refused(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    path = RunDirectory(runs / "cats").checkpoints / "step-00000007"
    guard = told(path)["guard"]
    del guard["loss.mean"]
    forge(path, guard=guard)
    journal = (runs / "cats" / "journal.jsonl").read_bytes()
    outcome = resume(RunDirectory(runs / "cats")).outcome
    assert outcome is not None and outcome.status == 2
    assert outcome.error == "The checkpoint tells no loss.mean of its guard: it cannot be resumed."
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
    assert outcome.error == f"The checkpoint tells a {name} of its guard that no run has: it cannot be resumed."


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


@pytest.mark.parametrize(
    "content",
    [
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
    ],
)
def test_a_header_that_does_not_describe_its_file_is_refused(saver: Saver, content: bytes) -> None:
    path = saver.save(1)
    (path / "optimizer.safetensors").write_bytes(content)
    forge(path)
    with pytest.raises(InputError, match=r"optimizer\.safetensors: it") as raised:
        saver.store.newest()
    assert not isinstance(raised.value, DamagedError)


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


@pytest.mark.parametrize("descriptors", ["/proc/self/fd", "/nowhere"])
def test_a_directory_that_is_moved_while_it_is_written_costs_only_that_checkpoint(
    saver: Saver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, descriptors: str
) -> None:
    """Also where the system has no path for a descriptor."""
    saver.save(1)
    partial, moved = saver.root / ".step-00000002.partial", tmp_path / "moved"

    def save(tensors: Any, path: Path, metadata: Any) -> None:
        if partial.exists():
            partial.rename(moved)
        save_file(tensors, path, metadata)

    with monkeypatch.context() as patches:
        patches.setattr(folder, "_DESCRIPTORS", Path(descriptors))
        patches.setattr(tensor_files, "save_file", save)
        with pytest.raises(OSError, match="No such file or directory"):
            saver.save(2)
        saver.save(3)
    assert saver.steps() == [1, 3]
    assert saver.newest() == 3


# -- nothing outside is reached ------------------------------------------------------------------------------------


def test_pruning_removes_only_what_a_checkpoint_consists_of(tmp_path: Path) -> None:
    saver = Saver(tmp_path / "checkpoints", keep=1)
    notes = saver.save(1) / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    for step in (2, 3):
        saver.save(step)
    assert saver.steps() == [3]
    assert [path.name for path in saver.root.glob("*/notes.txt")] == ["notes.txt"]
    assert {path.name for path in saver.root.iterdir()} == {"step-00000003", "latest", "left-removed-step-00000001"}


@pytest.mark.parametrize("link", ["step-00000001", "latest", ".step-00000004.partial"])
def test_what_a_link_leads_to_is_left_alone(tmp_path: Path, link: str) -> None:
    saver = Saver(tmp_path / "checkpoints", keep=1)
    elsewhere = Saver(tmp_path / "elsewhere" / "checkpoints").save(1)
    before = {path: path.read_bytes() for path in elsewhere.iterdir()}
    saver.root.joinpath(link).symlink_to(elsewhere / LAST_FILE if link == "latest" else elsewhere)
    for step in (2, 3, 4):
        saver.save(step)
    assert {path: path.read_bytes() for path in elsewhere.iterdir()} == before
    assert saver.newest() == 4


def test_linked_checkpoints_are_refused(saver: Saver, tmp_path: Path) -> None:
    elsewhere = Saver(tmp_path / "elsewhere" / "checkpoints")
    elsewhere.save(1)
    saver.root.rmdir()
    saver.root.symlink_to(elsewhere.root)
    with pytest.raises(InputError, match="checkpoints cannot be read"):
        saver.store.newest()
    with pytest.raises(OSError):
        saver.save(2)
    assert elsewhere.steps() == [1]


@pytest.mark.parametrize("file", ["model.safetensors", LAST_FILE])
def test_a_link_or_a_pipe_in_place_of_a_file_is_refused(saver: Saver, tmp_path: Path, file: str) -> None:
    saver.save(1)
    path = saver.save(2) / file
    path.rename(tmp_path / file)
    path.symlink_to(tmp_path / file)
    with pytest.raises(InputError, match="cannot be read: it is a link"):
        saver.store.newest()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="cannot be read: it is no regular file"):
        saver.store.newest()


def test_a_run_that_is_moved_while_it_trains_saves_where_it_is(corpus: Path, runs: Path) -> None:
    def move(event: Event) -> None:
        if isinstance(event, Step) and event.step == 4:
            (runs / "cats").rename(runs / "moved")

    session = run_to_end(small_config(corpus, eval_every=100), move)
    saved = {event.step: Path(event.path) for event in session.of(CheckpointSaved)}
    assert saved[6] == runs.resolve() / "moved" / "checkpoints" / "step-00000006"
    assert sorted(path.name for path in (runs / "moved" / "checkpoints").glob("step-*"))[-1] == "step-00000012"
    assert not (runs / "cats").exists()
    assert resume(RunDirectory(runs / "moved")).snapshot().state == "finished"
