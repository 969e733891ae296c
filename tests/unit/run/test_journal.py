"""Journals that a stranger made: nothing is followed, waited for, or held in memory whole."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.run.journals import read, tail, without_superseded, write_journal
from tests.unit.state.folded import started, step
from tui_trainer.run import journal
from tui_trainer.run.codec import encode
from tui_trainer.run.journal import MAX_LINE

READERS: list[Callable[[Path], object]] = [read, without_superseded, tail]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run" / "journal.jsonl"


@pytest.mark.parametrize("reader", READERS, ids=["read", "without_superseded", "tail"])
@pytest.mark.parametrize("kind", ["link", "pipe", "device", "directory", "nothing"])
def test_what_is_no_file_is_not_read(path: Path, tmp_path: Path, kind: str, reader: Callable[[Path], object]) -> None:
    match kind:
        case "link":
            (tmp_path / "mine").write_text(encode(step(1)) + "\n")
            path.symlink_to(tmp_path / "mine")
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "directory":
            path.mkdir()
    with pytest.raises(OSError):
        reader(path)


@pytest.mark.parametrize("kind", ["link", "dangling link", "second name", "pipe"])
def test_nothing_is_appended_or_cut_elsewhere(path: Path, tmp_path: Path, kind: str) -> None:
    mine = tmp_path / ".bashrc"
    mine.write_text("alias ll='ls -l'\nno line end")
    match kind:
        case "link":
            path.symlink_to(mine)
        case "dangling link":
            path.symlink_to(tmp_path / "new")
        case "second name":
            path.hardlink_to(mine)
        case _:
            os.mkfifo(path)
    with pytest.raises(OSError):
        write_journal(path.parent, step(1))
    assert mine.read_text() == "alias ll='ls -l'\nno line end"
    assert not (tmp_path / "new").exists()


def sparse(path: Path, size: int, *parts: tuple[int, str]) -> None:
    """A file of zeros that takes no room on the disk, with text at some places."""
    with path.open("wb") as file:
        file.truncate(size)
        for place, text in parts:
            file.seek(place)
            file.write(text.encode())


def test_a_line_of_any_length_is_left_out_without_being_held(path: Path) -> None:
    length = 32 * MAX_LINE
    good = encode(started()) + "\n"
    sparse(path, length + 1, (0, good), (length, "\n" + encode(step(1)) + "\n"))
    tracemalloc.start()
    events = list(without_superseded(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert events == list(read(path)) == [started(), step(1)] == [events[0], *tail(path)]
    assert peak < 8 * MAX_LINE


def test_a_line_as_long_as_may_be_counts(path: Path) -> None:
    longest = encode(step(1)).ljust(MAX_LINE - 1)
    path.write_text(f"{longest}\n {longest}\n{encode(step(2))}\n")
    assert [event.step for event in read(path)] == [1, 2]


def test_a_last_line_of_any_length_is_ended_instead_of_searched_through(path: Path) -> None:
    sparse(path, 1 << 40, (0, encode(step(1)) + "\n"))
    write_journal(path.parent, step(2))
    assert path.stat().st_size > 1 << 40
    assert tail(path) == [step(2)]


def test_of_a_huge_journal_the_beginning_and_the_end_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 2000)
    monkeypatch.setattr(journal, "BEGINNING", 1500)
    write_journal(path.parent, started(), *map(step, range(1, 1001)))
    events = list(without_superseded(path))
    assert events[0] == started()
    assert events[-1].step == 1000
    assert len(events) < 25
    assert [event.step for event in events] == sorted(event.step for event in events)


@pytest.mark.timeout(20)
def test_of_a_line_that_has_no_end_only_a_part_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 4 * MAX_LINE)
    size, last = 1 << 40, f"\n{encode(step(1))}\n"
    sparse(path, size, (0, encode(started()) + "\n"))
    assert list(without_superseded(path)) == [started()]
    sparse(path, size, (0, encode(started()) + "\n"), (size - len(last), last))
    assert list(without_superseded(path)) == [started(), step(1)]


@pytest.mark.timeout(20)
def test_after_a_line_that_is_far_too_long_nothing_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever opens such a journal can leave again."""
    monkeypatch.setattr(journal, "MAX_SKIP", MAX_LINE)
    size, last = 1 << 36, f"\n{encode(step(1))}\n"
    for length, counts in ((MAX_LINE + 100, True), (3 * MAX_LINE, False)):
        good = encode(started()) + "\n"
        sparse(path, len(good) + length + len(last), (0, good), (len(good) + length, last))
        assert list(without_superseded(path)) == [started(), *[step(1)] * counts]
    sparse(path, size, (0, encode(started()) + "\n"), (size - len(last), last))
    assert list(without_superseded(path)) == [started()]


def test_what_is_never_journalled_is_not_read(path: Path) -> None:
    path.write_text('{"event": "stage", "stage": "x", "step": 0, "time": 1.0}\n' + encode(step(1)) + "\n")
    assert [event.step for event in read(path)] == [1]
