"""An open directory: links and pipes in it are refused, and it stays the same when it is moved."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_trainer.run.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "run").mkdir()
    with Folder.open(tmp_path / "run") as opened:
        yield opened


def test_of_a_file_that_cannot_be_replaced_nothing_is_left(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    folder.replace("latest", b"old")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse)
        with pytest.raises(OSError, match="No space left"):
            folder.replace("latest", b"new")
    folder.folder("taken", create=True).close()
    with pytest.raises(IsADirectoryError):
        folder.replace("taken", b"new")
    assert sorted(folder.names()) == ["latest", "taken"]
    assert folder.read("latest", 10) == b"old"


def test_a_file_is_replaced_and_read(folder: Folder) -> None:
    folder.replace_text("latest", "step-00000001")
    folder.replace_text("latest", "step-00000002")

    assert folder.read("latest", 100) == b"step-00000002"
    assert folder.names() == ["latest"]


def test_a_directory_that_is_moved_stays_the_same(folder: Folder, tmp_path: Path) -> None:
    before = folder.path
    before.rename(tmp_path / "moved")
    folder.replace_text("latest", "here")

    assert (tmp_path / "moved" / "latest").read_text() == "here"
    assert folder.path == folder.locate() == tmp_path / "moved"
    assert not before.exists()


def test_a_deleted_directory_has_no_location(folder: Folder) -> None:
    before = folder.path
    before.rmdir()

    assert folder.locate() is None
    assert folder.path == before
    with pytest.raises(FileNotFoundError):
        folder.open_to_append("journal.jsonl")
    before.mkdir()
    assert folder.locate() is None


def test_a_closed_directory_does_not_use_a_reused_descriptor(tmp_path: Path) -> None:
    for name in ("run", "other"):
        (tmp_path / name).mkdir()
    closed = Folder.open(tmp_path / "run")
    number = closed.fileno()
    closed.close()
    with Folder.open(tmp_path / "other") as other:
        assert other.fileno() == number, "the number is not given anew: nothing is tested"
        assert closed.locate() is None
        assert closed.path == tmp_path / "run"
        for ask in (closed.names, closed.sync, closed.reopen, closed.fileno, lambda: closed.open_to_append("file")):
            with pytest.raises(OSError):
                ask()
        closed.close()
        assert other.names() == []


def test_a_larger_file_than_expected_is_refused(folder: Folder) -> None:
    folder.replace_text("config.toml", "x" * 101)

    with pytest.raises(OSError, match="more than 100 bytes"):
        folder.read("config.toml", 100)


@pytest.mark.parametrize("opened", [Folder.open_to_read, Folder.open_to_append])
def test_links_pipes_and_directories_are_refused_at_once(folder: Folder, tmp_path: Path, opened) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mine").write_text("mine")
    (folder.path / "link").symlink_to(tmp_path / "mine")
    os.mkfifo(folder.path / "pipe")
    (folder.path / "directory").mkdir()

    for name in ("link", "pipe", "directory"):
        with pytest.raises(OSError):
            opened(folder, name)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_second_name_of_a_file_elsewhere_is_not_appended_to(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (folder.path / "journal.jsonl").hardlink_to(tmp_path / "mine")

    with pytest.raises(OSError, match="another name elsewhere"):
        folder.open_to_append("journal.jsonl")


def test_replacing_a_link_leaves_what_it_points_to(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for name in ("latest", ".latest.partial"):
        (folder.path / name).symlink_to(tmp_path / "mine")

    folder.replace_text("latest", "step-00000001")

    assert (tmp_path / "mine").read_text() == "mine"
    assert folder.read("latest", 100) == b"step-00000001"


def test_a_linked_directory_is_not_entered(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder.path / "checkpoints").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError):
        folder.folder("checkpoints", create=True)
