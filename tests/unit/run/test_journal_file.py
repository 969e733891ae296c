"""The file of a journal: an event a line, on disk at once, whatever a crash has left of it."""

import json
from pathlib import Path

import pytest

from tests.unit.run.examples import EXAMPLES
from tests.unit.run.journals import read, write_journal
from tui_trainer.run.codec import encode
from tui_trainer.run.events import CheckpointSaved
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import Journal

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
