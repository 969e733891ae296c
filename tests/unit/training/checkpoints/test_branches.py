"""Two branches never write one directory, and what is sealed with a progress are the weights of its own steps."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.unit.training.checkpoints.forging import forge, read, told
from tests.unit.training.checkpoints.saving import TOKENIZER, progress
from tests.unit.training.helpers import small_model, small_stepper, take
from tui_trainer.config import InputError
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST_LINEAGE, Branch, Lineage
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.format import OPTIMIZER
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.recovery.rollback_buffer import copy_state

SECOND: Lineage = (*FIRST_LINEAGE, Branch(2, 3))
"""Goes on from step 3 of the first."""

Save = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.open(tmp_path)


def contents(step: int, seed: int, best_step: int = 0) -> Contents:
    """Of a model that has taken other steps for another seed."""
    model = small_model(seed)
    stepper = small_stepper(model)
    take(stepper)
    copy = copy_state(model, stepper, step)
    return Contents(progress(step, best_step), copy.weights, copy.state, model.shape, TOKENIZER)


def save(
    folder: Folder, step: int, seed: int, lineage: Lineage = FIRST_LINEAGE, best_step: int = 0, keep: int = 2
) -> Path:
    return CheckpointStore(folder, keep, lineage, "step-00000001").save(contents(step, seed, best_step), "periodic")


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def has(path: Path, step: int, seed: int) -> bool:
    """Whether the checkpoint is whole, and that of this step of the model of that seed."""
    found, expected = read(path), contents(step, seed)
    return found.progress.step == step and same(found.weights, dict(expected.weights))


def pointer(folder: Folder, name: str) -> str:
    return (folder.path / "checkpoints" / name).read_text(encoding="utf-8")


def test_each_branch_has_directories_of_its_own(folder: Folder) -> None:
    first, second = save(folder, 5, seed=1), save(folder, 5, seed=2, lineage=SECOND)
    assert (first.name, second.name) == ("step-00000005", "step-00000005-b2")
    assert has(first, 5, seed=1) and has(second, 5, seed=2)
    assert read(second).lineage == SECOND
    assert told(second)["branches"] == [[1, 0], [2, 3]]
    assert told(second)["parent"] == "step-00000001"
    assert pointer(folder, "latest") == "step-00000005-b2"


def test_a_run_goes_on_with_its_last_branch(folder: Folder) -> None:
    save(folder, 9, seed=1)
    save(folder, 4, seed=2, lineage=SECOND)
    checkpoint, damaged = CheckpointStore(folder, 2).newest()
    assert (checkpoint.lineage, checkpoint.progress.step, damaged) == (SECOND, 4, [])


def test_where_nothing_of_the_last_branch_is_whole_a_run_goes_on_with_the_one_before(folder: Folder) -> None:
    save(folder, 9, seed=1)
    (save(folder, 4, seed=2, lineage=SECOND) / OPTIMIZER).write_bytes(b"torn")
    checkpoint, damaged = CheckpointStore(folder, 2).newest()
    assert (checkpoint.lineage, checkpoint.progress.step) == (FIRST_LINEAGE, 9)
    assert damaged == ["step-00000004-b2"]


def test_what_a_branch_goes_back_to_is_its_own_or_before_it_began(folder: Folder) -> None:
    for step in (2, 3, 5):
        save(folder, step, seed=step, keep=3)
    save(folder, 6, seed=66, lineage=SECOND, best_step=3)
    store = CheckpointStore(folder, 2, SECOND)
    for step, found in ((7, 6), (5, 3), (2, 2), (1, None)):
        state = store.before(step)
        assert (state and state.step) == found
    assert same(store.weights(3), dict(contents(3, seed=3).weights))
    assert same(store.weights(6), dict(contents(6, seed=66).weights))
    with pytest.raises(InputError):
        store.weights(5)
    assert pointer(folder, "best") == "step-00000003"


def test_pruning_leaves_other_branches_alone(folder: Folder) -> None:
    for step in (1, 2, 3):
        save(folder, step, seed=1)
    before = {"step-00000002", "step-00000003"}
    for step in (4, 5, 6):
        save(folder, step, seed=2, lineage=SECOND)
    names = {path.name for path in (folder.path / "checkpoints").glob("step-*")}
    assert names == before | {"step-00000005-b2", "step-00000006-b2"}


def test_a_checkpoint_that_is_saved_anew_where_it_was_resumed_keeps_its_parent(folder: Folder) -> None:
    path = save(folder, 5, seed=1)
    CheckpointStore(folder, 2, parent=path.name).save(contents(5, seed=1), "stopped")
    assert (told(path)["reason"], told(path)["parent"]) == ("stopped", "step-00000001")


def test_a_step_that_was_taken_again_has_the_weights_of_its_progress(folder: Folder) -> None:
    save(folder, 5, seed=1)
    path = save(folder, 5, seed=2)
    assert has(path, 5, seed=2)
    assert {each.name for each in path.parent.iterdir()} == {"step-00000005", "latest"}


def test_another_optimizer_alone_is_another_checkpoint(folder: Folder) -> None:
    first = contents(5, seed=1)
    store = CheckpointStore(folder, 2)
    path = store.save(first, "periodic")
    name, tensor = next((name, tensor) for name, tensor in first.state.items() if tensor.numel() > 1)
    store.save(Contents(first.progress, first.weights, {**first.state, name: tensor + 1}, first.shape, TOKENIZER), "")
    assert torch.equal(read(path).state[name], tensor + 1)


def test_files_that_have_the_same_weights_are_not_written_again(folder: Folder) -> None:
    path = save(folder, 5, seed=1)
    before = {file.name: file.stat().st_ino for file in path.iterdir() if file.name != "trainer.json"}
    assert save(folder, 5, seed=1, best_step=5) == path
    assert {file.name: file.stat().st_ino for file in path.iterdir() if file.name != "trainer.json"} == before
    assert read(path).progress.best_step == 5


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_one_is_replaced_loses_none(folder: Folder, monkeypatch: pytest.MonkeyPatch, renames: int) -> None:
    """At the only checkpoint that there is: before, between and after the two that are renamed."""
    save(folder, 5, seed=1)
    rename, left = Folder.rename, renames

    def rename_or_die(self: Folder, old: str, new: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        rename(self, old, new)

    with monkeypatch.context() as patches:
        patches.setattr(Folder, "rename", rename_or_die)
        patches.setattr("tui_trainer.training.checkpoints.store.finish_replacing", lambda root: None)
        if renames < 2:
            with pytest.raises(KeyboardInterrupt):
                save(folder, 5, seed=2)
        else:
            save(folder, 5, seed=2)
    store, names = CheckpointStore(folder, 2), sorted(path.name for path in (folder.path / "checkpoints").iterdir())
    for _ in range(2):  # for whoever only looks, and for whoever resumes the run
        checkpoint, damaged = store.newest()
        assert same(checkpoint.weights, dict(contents(5, seed=2 if renames == 2 else 1).weights))
        assert damaged == []
        assert names == sorted(path.name for path in (folder.path / "checkpoints").iterdir())
        store.finish_replacing()
        names = sorted(path.name for path in (folder.path / "checkpoints").iterdir())
    assert not list((folder.path / "checkpoints").glob(".replaced*"))


def test_a_directory_of_another_branch_than_its_name_says_is_refused(folder: Folder) -> None:
    path = save(folder, 5, seed=1)
    path.rename(path.parent / "step-00000005-b2")
    with pytest.raises(InputError, match="is of branch 1"):
        CheckpointStore(folder, 2).newest()


@pytest.mark.parametrize(
    "branches",
    [[], [[2, 0]], [[1, 1]], [[1, 0], [2, 6]], [[1, 0], [2, 3], [2, 4]], [[1, 0], [3, 4], [4, 3]], [1], "x", 5],
)
def test_branches_that_cannot_be_are_refused(folder: Folder, branches: object) -> None:
    path = save(folder, 5, seed=1)
    forge(path, branches=branches)
    with pytest.raises(InputError, match="branches"):
        read(path)


@pytest.mark.parametrize("parent", [5, "../step-00000001", "latest"])
def test_a_parent_that_is_no_checkpoint_is_refused(folder: Folder, parent: object) -> None:
    path = save(folder, 5, seed=1)
    forge(path, parent=parent)
    with pytest.raises(InputError, match="parent"):
        read(path)
