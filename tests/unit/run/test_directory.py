"""Run directories: made, named, found."""

import os
from collections.abc import Iterator
from errno import EACCES
from pathlib import Path

import pytest

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory, check_name, check_root, create_run, runs_in, runs_root, slug
from tui_trainer.run.folder import Folder


def make_run(root: Path, name: str, age: float = 0.0) -> Path:
    """A run whose journal last changed so many seconds ago."""
    path = root / name
    path.mkdir(parents=True)
    (path / "config.toml").touch()
    (path / "journal.jsonl").touch()
    os.utime(path / "journal.jsonl", (1e9 - age, 1e9 - age))
    return path


def test_the_files_of_a_run() -> None:
    run = RunDirectory(Path("runs/cats"))
    assert run.name == "cats"
    files = (run.config, run.journal, run.checkpoints)
    assert [str(file) for file in files] == [
        "runs/cats/config.toml",
        "runs/cats/journal.jsonl",
        "runs/cats/checkpoints",
    ]


def test_the_root_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", "/somewhere")
    assert runs_root("elsewhere") == Path("elsewhere")
    assert runs_root("") == Path("/somewhere")
    monkeypatch.setenv("TUI_TRAINER_RUNS", "")
    assert runs_root("") == Path("runs")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("fables", "fables"),
        ("fables and 3 more", "fables-and-3-more"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "run"),
        ("", "run"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("\u732b\u306e\u8a71", "run"),
        ("a\x1b[2Jb\nc\x00d", "a-2Jb-c-d"),
        ("x" * 500, "x" * 60),
        ("$(reboot); echo `id`", "reboot-echo-id"),
    ],
)
def test_any_label_makes_a_plain_name(tmp_path: Path, label: str, name: str) -> None:
    assert slug(label) == name
    assert create_run(tmp_path, "", label).path == tmp_path / name


def test_a_label_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = [create_run(tmp_path / "deep" / "runs", "", "cats").name for _ in range(3)]
    assert names == ["cats", "cats-2", "cats-3"]


def test_a_name_is_used_unchanged_or_refused(tmp_path: Path) -> None:
    assert create_run(tmp_path, "My_run.1", "cats").path == tmp_path / "My_run.1"
    for refuse in (create_run, lambda root, name, label: check_name(root, name)):
        with pytest.raises(InputError, match=r"A run named My_run.1 exists in .*: choose another"):
            refuse(tmp_path, "My_run.1", "cats")


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "-x", "a b", "a\n", "\u732b", "x" * 101, "a\x1b[2J", "\\"])
def test_a_name_that_is_no_plain_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot name a run: use at most 100 letters") as raised:
        check_name(tmp_path, name)
    assert str(raised.value).isprintable()


def test_a_root_need_not_exist_yet(tmp_path: Path) -> None:
    check_root(tmp_path / "deep" / "runs")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/runs", "file/deep/runs"])
def test_no_run_can_be_below_a_file(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is not a directory: choose another place with --runs-dir"):
        check_root(tmp_path / place)
    with pytest.raises(InputError, match=r"--runs-dir|--name"):
        create_run(tmp_path / place, "", "cats")


def test_a_root_with_too_long_a_name_is_refused(tmp_path: Path) -> None:
    for refuse in (check_root, lambda root: create_run(root, "", "cats")):
        with pytest.raises(InputError, match=r"Cannot make a run in .*File name too long.*--runs-dir"):
            refuse(tmp_path / ("x" * 300))


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(InputError, match=r"Cannot write to .*: choose another place with --runs-dir"):
        check_root(tmp_path)


def test_an_unreadable_root_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the directory cannot be listed, or not entered; permissions do not bind every user that tests run as."""
    make_run(tmp_path, "cats")
    assert [run.name for run in runs_in(tmp_path)] == ["cats"]
    assert runs_in(tmp_path / "none") == runs_in(tmp_path / "cats" / "config.toml") == []
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"Cannot look for runs in .* \(Permission denied\): name another --runs-dir"):
        runs_in(tmp_path)
    monkeypatch.undo()

    def refuse(path: Path) -> Iterator[Path]:
        raise PermissionError(EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"Cannot look for runs in .* \(Permission denied\)"):
        runs_in(tmp_path)


def test_unreadable_checkpoints_count_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory(make_run(tmp_path, "cats"))
    run.checkpoints.mkdir()
    (run.checkpoints / "latest").write_text("step-00000007")
    assert run.has_checkpoint() and run.latest_step() == 7

    def refuse(folder: Folder, name: str, create: bool = False) -> Folder:
        raise PermissionError(EACCES, "Permission denied")

    monkeypatch.setattr(Folder, "folder", refuse)
    assert not run.has_checkpoint()
