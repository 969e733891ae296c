"""Names of checkpoints, and the files that name one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.folder import Folder
from tui_trainer.run.pointers import LATEST, MAX_POINTER_BYTES, CheckpointId, id_of, latest, pointed


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "cats" / "checkpoints").mkdir(parents=True)
    return RunDirectory(tmp_path / "cats")


@pytest.fixture
def checkpoints(run: RunDirectory) -> Iterator[Folder]:
    with Folder.open(run.checkpoints) as folder:
        yield folder


@pytest.mark.parametrize("step", [0, 7, 12_345_678, 123_456_789])
@pytest.mark.parametrize("branch", [1, 2, 10, 999_999_999])
def test_a_checkpoint_is_named_after_its_step_and_branch(step: int, branch: int) -> None:
    assert id_of(CheckpointId(branch, step).name) == (branch, step)


def test_the_first_branch_has_plain_names() -> None:
    assert [CheckpointId(branch, 1250).name for branch in (1, 2)] == ["step-00001250", "step-00001250-b2"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "step-",
        "step-7",
        "step-000000007",
        "step--0000007",
        ".step-00000007.partial",
        "step-00000007-b1",
        "step-00000007-b0",
        "step-00000007-b02",
        "step-00000007-b",
    ],
)
def test_other_names_are_no_checkpoints(name: str) -> None:
    assert id_of(name) is None


def test_the_newest_checkpoint_is_the_one_that_is_named(run: RunDirectory, checkpoints: Folder) -> None:
    assert not run.has_checkpoint()
    checkpoints.replace_text(LATEST, "step-00000007\n")
    assert pointed(checkpoints, LATEST) == (1, 7)
    assert run.has_checkpoint()


@pytest.mark.parametrize("data", [b"", b"../../elsewhere", b"\xff\x1b[2J", b"step-00000007" + b" " * MAX_POINTER_BYTES])
def test_other_contents_name_no_checkpoint(run: RunDirectory, checkpoints: Folder, data: bytes) -> None:
    checkpoints.replace(LATEST, data)
    assert pointed(checkpoints, LATEST) is None
    assert not run.has_checkpoint()


def test_a_link_is_not_followed(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("step-00000007")
    (run.checkpoints / LATEST).symlink_to(tmp_path / "mine")
    assert not run.has_checkpoint()


def test_a_linked_directory_has_no_checkpoint(run: RunDirectory, tmp_path: Path) -> None:
    (run.checkpoints / LATEST).write_text("step-00000007")
    run.checkpoints.rename(tmp_path / "elsewhere")
    run.checkpoints.symlink_to(tmp_path / "elsewhere")
    with run.open() as folder:
        assert latest(folder) is None
    assert not run.has_checkpoint()


def test_a_run_that_cannot_be_opened_has_no_checkpoint(tmp_path: Path) -> None:
    assert not RunDirectory(tmp_path / "nowhere").has_checkpoint()
