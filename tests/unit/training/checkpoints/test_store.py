"""Checkpoints: whole or not there, and exactly what was saved."""

import json
import pickle
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.unit.training.checkpoints.forging import read, seal, told
from tests.unit.training.checkpoints.saving import Saver, progress, trained
from tests.unit.training.helpers import run_to_end, small_config, take
from tui_trainer.config import InputError
from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.run.events import ON_REQUEST, Alert, CheckpointSaved, Step
from tui_trainer.training.checkpoints import tensor_files
from tui_trainer.training.checkpoints.format import FILES, LAST_FILE


def test_the_files_are_those_of_the_public_format(saver: Saver) -> None:
    path = saver.save(1250, best_step=1250)
    assert path.name == "step-00001250"
    assert {file.name for file in path.iterdir()} == {
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "optimizer.safetensors",
        "trainer.json",
    }
    assert {file.name for file in saver.root.iterdir()} == {"step-00001250", "latest", "best"}
    assert (saver.root / "latest").read_text(encoding="utf-8") == "step-00001250"
    assert (saver.root / "best").read_text(encoding="utf-8") == "step-00001250"


def test_nothing_saved_can_run_code(saver: Saver) -> None:
    path = saver.save(1)
    for file in path.iterdir():
        data = file.read_bytes()
        assert not data.startswith((b"PK", b"\x80")), f"{file.name} is a zip or a pickle"
        # A safetensors file is the length of its header in eight bytes, then the header: JSON like the others.
        header = data[8 : 8 + int.from_bytes(data[:8], "little")] if file.suffix == ".safetensors" else data
        json.loads(header)
    assert Tokenizer.from_json((path / "tokenizer.json").read_text(encoding="utf-8")).vocab_size == 7
    assert json.loads((path / "config.json").read_text(encoding="utf-8"))["model_type"] == "qwen3"


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, crater: Path) -> None:
        self.crater = crater

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.crater,)


@pytest.mark.parametrize("name", [*FILES, LAST_FILE])
@pytest.mark.parametrize("pack", [pickle.dump, torch.save])
def test_no_file_from_a_stranger_runs_code(saver: Saver, tmp_path: Path, pack: Callable[..., None], name: str) -> None:
    """Though the stranger knows how to make the hashes fit."""
    path, crater = saver.save(1), tmp_path / "crater"
    trainer = told(path)
    with (path / name).open("wb") as file:
        pack(Bomb(crater), file)
    if name != LAST_FILE:
        seal(path, trainer)
    for take_in in (
        lambda: read(path),
        lambda: Tokenizer.from_json((path / "tokenizer.json").read_text(encoding="utf-8")),
    ):
        with suppress(InputError, ValueError):
            take_in()
    assert not crater.exists()
    with (path / name).open("rb") as file, suppress(Exception):
        pickle.load(file) if pack is pickle.dump else torch.load(file, weights_only=False)
    assert crater.exists(), "the bomb was a dud: nothing is tested"


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_what_is_read_is_bit_for_bit_what_was_saved(saver: Saver, kind: str) -> None:
    saver.model, saver.stepper = trained(kind=kind)
    checkpoint = read(saver.save(3, best_step=3))
    assert asdict(checkpoint.progress) == asdict(progress(3, best_step=3))
    model, stepper = trained(steps=0, kind=kind)
    model.load_qwen3_weights(checkpoint.weights)
    stepper.load(checkpoint.state)
    same(saver.model.state_dict(), model.state_dict())
    same(saver.stepper.state(), stepper.state())
    assert take(saver.stepper, 3).loss == take(stepper, 3).loss
    same(saver.model.state_dict(), model.state_dict())


def test_a_step_that_there_is_not_yet_is_written_as_minus_one(saver: Saver) -> None:
    path = saver.save(3)
    trainer = json.loads((path / "trainer.json").read_text())
    assert trainer["evaluated_step"] == trainer["sampled_step"] == -1
    progress = read(path).progress
    assert progress.evaluated_step is None and progress.sampled_step is None


def same(tensors: dict[str, Tensor], others: dict[str, Tensor]) -> None:
    assert tensors.keys() == others.keys()
    assert all(torch.equal(tensor, others[name]) for name, tensor in tensors.items())


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_a_checkpoint_before_the_first_step(saver: Saver, kind: str) -> None:
    saver.model, saver.stepper = trained(steps=0, kind=kind)
    checkpoint = read(saver.save(0))
    _, stepper = trained(steps=0, kind=kind)
    stepper.load(checkpoint.state)
    assert take(stepper).finite


def test_the_latest_the_best_and_those_asked_for_are_kept(tmp_path: Path) -> None:
    saver = Saver(tmp_path / "checkpoints", keep=2)
    saver.save(1, reason=ON_REQUEST)
    saver.save(2, best_step=2)
    for step in (3, 4, 5, 6):
        saver.save(step, best_step=2)
    assert saver.steps() == [1, 2, 5, 6]
    saver.save(7, best_step=7)
    assert saver.steps() == [1, 6, 7]
    assert {(saver.root / pointer).read_text() for pointer in ("best", "latest")} == {"step-00000007"}


def test_one_saved_for_itself_stays_when_it_is_saved_again_for_another_reason(tmp_path: Path) -> None:
    saver = Saver(tmp_path / "checkpoints", keep=1)
    saver.save(1, reason=ON_REQUEST)
    saver.save(1, reason="stopped")
    saver.save(2)
    saver.save(3)
    assert saver.steps() == [1, 3]


def test_saving_a_step_again_brings_its_progress_up_to_date(saver: Saver) -> None:
    path = saver.save(4)
    saver.save(4, best_step=4)
    assert read(path).progress == progress(4, best_step=4)


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can grow beyond `size` bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [0, 8192])
def test_a_full_disk_costs_only_the_new_checkpoint(saver: Saver, size: int) -> None:
    saver.save(1, best_step=1)
    before = {path: path.read_bytes() for path in saver.root.rglob("*") if path.is_file()}
    with full_disk(size), pytest.raises(OSError):
        saver.save(2, best_step=2)
    assert {path: path.read_bytes() for path in saver.root.rglob("*") if path.is_file()} == before
    assert [path.name for path in saver.root.iterdir() if path.is_dir()] == ["step-00000001"]
    assert saver.newest() == 1


def test_a_failed_write_leaves_no_partial_directory(saver: Saver, monkeypatch: pytest.MonkeyPatch) -> None:
    saver.save(1)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensor_files, "save_file", fail)
    with pytest.raises(OSError, match="No space left"):
        saver.save(2)
    assert {path.name for path in saver.root.iterdir()} == {"step-00000001", "latest"}


def test_leftovers_of_a_killed_save_are_in_nobodys_way(saver: Saver) -> None:
    saver.save(1)
    leftover = saver.root / ".step-00000002.partial"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    assert saver.newest() == 1
    saver.save(2)
    assert saver.newest() == 2
    assert not leftover.exists()


def test_leftovers_of_killed_saves_and_removals_do_not_stay(saver: Saver) -> None:
    for name in (".step-00000007.partial", ".removed-step-00000001"):
        (saver.root / name).mkdir()
        (saver.root / name / "model.safetensors").write_bytes(b"half")
    (saver.root / ".step-00000007.partial" / ".tmpa1B2c3").write_bytes(b"half, by the safetensors library")
    saver.save(2)
    assert {path.name for path in saver.root.iterdir()} == {"step-00000002", "latest"}


def test_a_run_goes_on_when_the_disk_is_full(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensor_files, "save_file", fail)
    session = run_to_end(small_config(corpus, eval_every=100, checkpoint_every=5))
    assert [event.step for event in session.of(Step)][-1] == 12
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert "could not be saved" in session.outcome.error
    assert [alert.step for alert in session.of(Alert)] == [5, 10, 12, 12, 12, 12]
    assert {alert.kind for alert in session.of(Alert)} == {"checkpoint"}
    assert session.of(Alert)[0].message == "The checkpoint could not be saved: No space left on device."
    assert session.of(CheckpointSaved) == []


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors", "trainer.json"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(saver: Saver, file: str, damage: str) -> None:
    saver.save(1)
    newest = saver.save(2) / file
    match damage:
        case "gone":
            newest.unlink()
        case "empty":
            newest.write_bytes(b"")
        case "cut":
            newest.write_bytes(newest.read_bytes()[:-10])
    assert saver.newest() == 1
    saver.save(2)
    assert saver.newest() == 2


def test_a_checkpoint_may_be_damaged_twice(saver: Saver) -> None:
    saver.save(1)
    for _ in range(2):
        (saver.save(2) / "trainer.json").write_bytes(b"{")
        assert saver.newest() == 1


def test_the_newest_is_found_without_its_pointer(saver: Saver) -> None:
    saver.save(1)
    saver.save(2)
    (saver.root / "latest").unlink()
    assert saver.newest() == 2
    (saver.root / "latest").write_text("../../elsewhere", encoding="utf-8")
    assert saver.newest() == 2


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    saver = Saver(tmp_path / "cats" / "checkpoints")
    with pytest.raises(InputError, match="has no checkpoint that can be read: train anew"):
        saver.store.newest()
    (saver.save(1) / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="has no checkpoint that can be read: train anew"):
        saver.store.newest()


def test_an_old_damaged_checkpoint_stands_in_nobodys_way(tmp_path: Path) -> None:
    """It may be one that was asked for, so it is not removed either."""
    saver = Saver(tmp_path / "checkpoints", keep=1)
    (saver.save(1) / "trainer.json").write_bytes(b"")
    for step in (2, 3):
        saver.save(step)
    assert saver.steps() == [1, 3]
