"""The sentences about a run's directory that is moved or deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_trainer.run.folder import Folder
from tui_trainer.run.relocation import DirectoryMonitor


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "run").mkdir()
    with Folder.open(tmp_path / "run") as opened:
        yield opened


def test_an_unmoved_directory_is_not_reported(folder: Folder) -> None:
    assert DirectoryMonitor(folder).look(now=True) == ""


def test_every_move_is_reported_once(folder: Folder, tmp_path: Path) -> None:
    whereabouts = DirectoryMonitor(folder)
    for name in ("b", "c", "run"):
        folder.path.rename(tmp_path / name)
        moved = f"The run's directory was moved to {tmp_path / name}: the run goes on there."
        assert whereabouts.look(now=True) == moved
        assert whereabouts.look(now=True) == ""


def test_a_parent_that_moves_takes_the_run_along(folder: Folder, tmp_path: Path) -> None:
    whereabouts = DirectoryMonitor(folder)
    tmp_path.rename(tmp_path.with_name("renamed"))
    try:
        assert str(tmp_path.with_name("renamed") / "run") in whereabouts.look(now=True)
    finally:
        tmp_path.with_name("renamed").rename(tmp_path)


def test_a_deletion_is_reported_once(folder: Folder) -> None:
    whereabouts = DirectoryMonitor(folder)
    folder.path.rmdir()
    assert "was deleted: training goes on, but nothing of it can be saved" in whereabouts.look(now=True)
    assert whereabouts.look(now=True) == ""


def test_a_move_is_reported_without_a_path_from_the_system(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.run.folder._system_path", lambda descriptor: None)
    whereabouts = DirectoryMonitor(folder)
    (tmp_path / "run").rename(tmp_path / "b")
    assert whereabouts.look(now=True) == "The run's directory was moved: the run goes on there."


def test_it_checks_once_a_second(folder: Folder, tmp_path: Path) -> None:
    whereabouts = DirectoryMonitor(folder)
    folder.path.rename(tmp_path / "b")
    assert whereabouts.look() == ""
    whereabouts._looked_at -= 10
    assert whereabouts.look() != ""
