"""The past of a run through the index beside its journal: the same, to the bit, as event by event without one."""

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.folding import folded
from tests.unit.run.journals import write_journal
from tests.unit.state.folded import evaluation, sample, started, state, step
from tui_trainer.history import history as history_module
from tui_trainer.history import journal_index
from tui_trainer.history.journal_index import INDEX
from tui_trainer.run import journal
from tui_trainer.run.codec import encode
from tui_trainer.run.events import (
    Alert,
    BranchStarted,
    CheckpointSaved,
    CommandApplied,
    Event,
    Resources,
    RunStarted,
    ScheduleChanged,
)
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL
from tui_trainer.run.lineage import FIRST, Start
from tui_trainer.sessions.journal_reader import JournalReader
from tui_trainer.state.run_state import RunState
from tui_trainer.state.serialization import dump_state

SPACING = 16


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as opened:
        yield opened


def eventful(seed: int, steps: int = 300) -> list[Event]:
    """A run that is resumed several times from older steps, replanned and rolled back, with all kinds of events."""
    chosen = random.Random(seed)
    events: list[Event] = [started(), state("running", 100.0)]
    now, time = 0, 100.0
    for _ in range(steps):
        now, time = now + 1, time + chosen.uniform(0.1, 2.0)
        loss = chosen.choice([None, *(chosen.gauss(3, 1) for _ in range(9))])
        events.append(step(now, time, loss=loss, grad_norm=chosen.choice([None, chosen.uniform(0, 2)])))
        events += [replace(event, time=time) for event in happened(chosen, now)]
        if chosen.random() < 0.02:
            now = max(0, now - chosen.choice([0, 1, 7, 20, 60]))
            events += [started(step=now, time=time, steps=chosen.choice([100, 5000])), state("running", time, now)]
    return events


def branching(seed: int) -> list[Event]:
    """A run that goes back to an older step of any of its branches, and goes on from there as another."""
    chosen = random.Random(seed)
    events: list[Event] = [started(), state("running", 100.0)]
    begun, reached = {1: 0}, {1: 0}
    branch = newest = 1
    for _ in range(12):
        for _ in range(chosen.randint(0, 60)):
            reached[branch] += 1
            events += [step(reached[branch], loss=chosen.gauss(3, 1)), *happened(chosen, reached[branch])]
        parent = chosen.choice(list(reached))
        back = chosen.randint(begun[parent], reached[parent])
        if chosen.random() < 0.5:
            branch = newest = newest + 1
            begun[branch] = reached[branch] = back
            events += [BranchStarted(step=back, id=branch, parent=parent)]
        elif chosen.random() < 0.5 and len(reached) > 1:  # killed before the branch had a checkpoint
            del reached[branch]
            branch = max(reached)
            events += [started(step=reached[branch], branch=branch), state("running", 100.0, reached[branch])]
        else:
            reached[branch] = chosen.randint(begun[branch], reached[branch])
            events += [started(step=reached[branch], branch=branch), state("running", 100.0, reached[branch])]
    return events


def happened(chosen: random.Random, now: int) -> list[Event]:
    """What comes beside a step."""
    kinds: list[Event] = [
        evaluation(now, chosen.gauss(3, 1), best=chosen.random() < 0.5),
        sample(now, chosen.choice(["a", "b", "ü\n"]), chosen.choice(["The", "A"])),
        Alert(
            step=now, kind="divergence", severity=chosen.choice(["info", "warning", "error"]), message="Rolled back."
        ),
        CheckpointSaved(step=now, path=f"step-{now:08}", reason="regular"),
        Resources(step=now, memory_bytes=now, device_memory_bytes=0),
        CommandApplied(step=now, name=chosen.choice(["attach", "detach", "pause"]), value=None, source="keyboard"),
        CommandApplied(step=now, name="set_temperature", value=chosen.random(), source="keyboard"),
        ScheduleChanged(step=now, steps=400, schedule="wsd", lr=1e-3, min_lr=0.0, warmup=5, factor=0.5, until=now + 20),
        state(chosen.choice(["paused", "running"]), 100.0, now),
    ]
    return [kind for kind in kinds if chosen.random() < 0.1]


def taken_up(step: int | None) -> list[Start]:
    return [] if step is None else [Start(FIRST, step)]


def read(reader: JournalReader, size: int = 0, resumed_at: int | None = None) -> JournalReader:
    for _ in reader.read(size, taken_up(resumed_at)):
        pass
    return reader


def opened(folder: Folder, size: int = 0, resumed_at: int | None = None) -> JournalReader:
    """As whoever opens the run finds its past."""
    return read(JournalReader(folder, SPACING), size, resumed_at)


def indexed(folder: Folder) -> JournalReader:
    reader = opened(folder)
    reader.write_index()
    return reader


def event_by_event(folder: Folder, size: int = 0, resumed_at: int | None = None) -> RunState:
    return folded(journal.without_superseded(folder, size, taken_up(resumed_at)))


def assert_same(reader: JournalReader, expected: RunState) -> None:
    found = reader.state
    assert dump_state(found) == dump_state(expected)
    for each in (found, expected):
        each.history.flush()
    ours, theirs = found.snapshot(), expected.snapshot()
    assert replace(ours, version=0, history=theirs.history) == replace(theirs, version=0)
    for metric in ("loss", "smoothed_loss", "lr", "grad_norm", "val_loss"):
        for columns in (1, 10_000) if found.history.stride == expected.history.stride else (1,):
            curves = [each.history.window(metric, 0, 10_000, columns) for each in (found, expected)]
            for name in ("low", "high", "count"):
                np.testing.assert_array_equal(getattr(curves[0], name), getattr(curves[1], name))
            np.testing.assert_allclose(curves[0].mean, curves[1].mean, rtol=1e-12)


# -- the same as without -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_same_as_event_by_event(folder: Folder, seed: int) -> None:
    write_journal(folder.path, *eventful(seed))
    expected = event_by_event(folder)
    assert_same(opened(folder), expected)
    indexed(folder)
    with folder.open_to_read(JOURNAL) as file:
        assert journal_index.read_index(folder, file, 10**9) is not None
    assert_same(opened(folder), expected)
    step = expected.snapshot().step
    for resumed_at in (step, step - 1, step // 2, 3, 0):
        assert_same(opened(folder, resumed_at=resumed_at), event_by_event(folder, resumed_at=resumed_at))


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_same_for_a_run_of_many_branches(folder: Folder, seed: int) -> None:
    """At any size: wherever it had been read to before it went back, also with an index from there."""
    lines = [f"{encode(event)}\n".encode() for event in branching(seed)]
    reader = JournalReader(folder, SPACING)
    for begin in range(0, len(lines), 25):
        with folder.open_to_append(JOURNAL) as file:
            file.write(b"".join(lines[begin : begin + 25]))
        assert_same(read(reader), expected := event_by_event(folder))
        reader.write_index()
        assert_same(opened(folder), expected)


@pytest.mark.parametrize("seed", range(100, 103))
def test_it_is_the_same_when_it_is_read_on_as_the_journal_grows(folder: Folder, seed: int) -> None:
    """At every size from time to time, with an index from each, where a line may be written in two parts."""
    events = eventful(seed)
    lines = [f"{encode(event)}\n".encode() for event in events]
    chosen = random.Random(seed)
    reader, size = JournalReader(folder, SPACING), 0
    data = b"".join(lines)
    while size < len(data):
        with folder.open_to_append(JOURNAL) as file:
            file.write(data[size : size + chosen.randint(1, 9_000)])
        size = folder.stat(JOURNAL).st_size
        assert_same(read(reader), expected := event_by_event(folder))
        reader.write_index()
        assert_same(opened(folder), expected)


def test_it_is_the_same_in_buckets_of_many_steps(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (history_module, journal_index):
        monkeypatch.setattr(module, "BUCKETS", 64)
    write_journal(folder.path, *eventful(1, 700))
    expected = event_by_event(folder)
    assert expected.history.stride > 1
    indexed(folder)
    assert_same(opened(folder), expected)
    step = expected.snapshot().step
    for resumed_at in (step, step - 1, step // 2, 3):
        assert_same(opened(folder, resumed_at=resumed_at), event_by_event(folder, resumed_at=resumed_at))


def test_a_run_taken_up_at_one_of_its_first_steps_has_a_bucket_for_each_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "BUCKETS", 64)
    write_journal(folder.path, started(), *map(step, range(1, 101)))
    assert indexed(folder).state.history.stride == 2
    reader = opened(folder, resumed_at=40)
    assert reader.state.history.stride == 1
    assert_same(reader, event_by_event(folder, resumed_at=40))


def test_only_what_the_index_lacks_is_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write_journal(folder.path, started(), *map(step, range(1, 1001)))
    indexed(folder)
    decoded = []
    decode = journal.decode
    monkeypatch.setattr(journal, "decode", lambda line: decoded.append(line) or decode(line))
    assert opened(folder).state.snapshot().step == 1000
    assert 0 < len(decoded) <= SPACING


def test_a_run_taken_up_from_far_back_is_read_from_a_place_before(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the beginning."""
    write_journal(folder.path, started(), *map(step, range(1, 5001)))
    indexed(folder)
    decoded = []
    decode = journal.decode
    monkeypatch.setattr(journal, "decode", lambda line: decoded.append(line) or decode(line))
    assert opened(folder, resumed_at=4_000).state.snapshot().step == 4_000
    assert len(decoded) <= 1_000 + 64 * SPACING


def test_an_index_that_is_younger_than_a_part_is_of_use(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be written between the moment that a viewer comes and the one that it reads the past."""
    write_journal(folder.path, started(), *map(step, range(1, 1001)))
    size = folder.stat(JOURNAL).st_size
    write_journal(folder.path, *map(step, range(1001, 1101)))
    indexed(folder)
    decoded = []
    decode = journal.decode
    monkeypatch.setattr(journal, "decode", lambda line: decoded.append(line) or decode(line))
    assert opened(folder, size).state.snapshot().step == 1000
    assert len(decoded) <= SPACING


def test_a_part_of_the_journal_has_the_past_of_that_part(folder: Folder) -> None:
    """As a viewer needs it, who is told the rest; the index may be of more."""
    events = eventful(7)
    write_journal(folder.path, *events)
    indexed(folder)
    sizes = np.cumsum([len(encode(event).encode()) + 1 for event in events])
    for size in map(int, sizes[::40]):
        assert_same(opened(folder, size), event_by_event(folder, size))


# -- an index that is none -----------------------------------------------------------------------------------------


def damage(path: Path, kind: str) -> None:
    data = path.read_bytes()
    match kind:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut short":
            path.write_bytes(data[: len(data) // 2])
        case "damaged":
            path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
        case "noise":
            path.write_bytes(os.urandom(5_000))
        case "link":
            path.rename(path.with_name("elsewhere"))
            path.symlink_to(path.with_name("elsewhere"))
        case "pipe":
            path.unlink()
            os.mkfifo(path)
        case "directory":
            path.unlink()
            path.mkdir()


@pytest.mark.parametrize(
    "kind", ["missing", "empty", "cut short", "damaged", "noise", "link", "pipe", "directory", "stale"]
)
def test_an_index_that_is_none_is_made_anew(folder: Folder, kind: str) -> None:
    write_journal(folder.path, *eventful(3))
    indexed(folder)
    good = (folder.path / INDEX).read_bytes()
    if kind == "stale":
        (folder.path / JOURNAL).unlink()
        write_journal(folder.path, *eventful(4))
    else:
        damage(folder.path / INDEX, kind)
    reader = indexed(folder)
    assert_same(reader, event_by_event(folder))
    if kind == "directory":
        assert (folder.path / INDEX).is_dir()
    else:
        assert (folder.path / INDEX).is_file() and not (folder.path / INDEX).is_symlink()
        assert ((folder.path / INDEX).read_bytes() == good) is (kind != "stale")
    assert_same(opened(folder), event_by_event(folder))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"run": 5}', "[" * 100_000, '{"samples": {}}'])
def test_a_state_that_is_none_is_not_believed(folder: Folder, text: str) -> None:
    """Though it is signed; the one before it is."""
    write_journal(folder.path, *eventful(5))
    with folder.open_to_read(JOURNAL) as file:
        indexed(folder)
        good = (folder.path / INDEX).read_bytes()
        index = journal_index.read_index(folder, file, 10**9)
        assert index is not None
        forged = replace(index, states={**index.states, index.entries[-1].step: text})
        journal_index.write_index(folder, file, forged)
        assert_same(indexed(folder), event_by_event(folder))
        assert (folder.path / INDEX).read_bytes() == good, "it was not written anew"
        journal_index.write_index(folder, file, replace(index, states=dict.fromkeys(index.states, text)))
        assert_same(indexed(folder), event_by_event(folder))
        assert (folder.path / INDEX).read_bytes() == good, "it was not written anew"


def test_where_nothing_can_be_written_there_is_no_index(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Folder, name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    write_journal(folder.path, *eventful(6))
    monkeypatch.setattr(Folder, "replace", refuse)
    assert_same(indexed(folder), event_by_event(folder))
    assert not folder.is_file(INDEX)


def test_a_short_run_needs_no_index(folder: Folder) -> None:
    write_journal(folder.path, started(), *map(step, range(1, SPACING)))
    indexed(folder)
    assert not folder.is_file(INDEX)


def test_of_a_journal_whose_middle_is_left_out_there_is_no_index(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 20_000)
    monkeypatch.setattr(journal, "BEGINNING", 1_500)
    write_journal(folder.path, started(), *map(step, range(1, 1001)))
    assert indexed(folder).state.snapshot().step == 1000
    assert not folder.is_file(INDEX)


def test_a_torn_last_line_is_read_when_it_is_whole(folder: Folder) -> None:
    write_journal(folder.path, started(), step(1))
    line = f"{encode(step(2))}\n".encode()
    reader = JournalReader(folder, SPACING)
    for part, expected in ((line[:50], 1), (line[50:], 2), (b"{garbage}\n", 2), (line[:-1], 2), (b"\n", 2)):
        with folder.open_to_append(JOURNAL) as file:
            file.write(part)
        assert read(reader).state.snapshot().step == expected
    assert_same(reader, event_by_event(folder))


def test_steps_that_go_back_without_a_word_are_taken_as_they_come(folder: Folder) -> None:
    """In a journal that somebody joined by hand, say."""
    numbers = [*range(1, 60), *range(20, 90), 3, *range(90, 100)]
    write_journal(folder.path, started(), *map(step, numbers))
    indexed(folder)
    reader = opened(folder)
    assert reader.state.snapshot().step == 99
    assert reader.state.history.window("loss", 0, 100, 1).high.tolist() == [2.0]


def test_reading_can_be_given_up_while_starts_are_looked_for(folder: Folder) -> None:
    write_journal(folder.path, *(BranchStarted(step=1, id=number, parent=1) for number in range(2, 5000)))
    reader = JournalReader(folder, SPACING)
    assert next(reader.read()) == (0, folder.stat(JOURNAL).st_size)


def test_hours_of_reading_can_be_given_up(folder: Folder) -> None:
    write_journal(folder.path, started(), *map(step, range(1, 1001)))
    reader = JournalReader(folder, SPACING)
    for done, total in reader.read():
        assert 0 < done <= total == folder.stat(JOURNAL).st_size
        break
    assert 0 < reader.state.snapshot().step < 1000
    assert isinstance(event_by_event(folder).snapshot().run, RunStarted)
    assert_same(read(reader), event_by_event(folder))
    assert reader.state.snapshot().state


@pytest.mark.parametrize("planned", [0, 100])
def test_a_step_that_no_run_can_have_come_to_is_left_out(folder: Folder, planned: int) -> None:
    before, after = [started(steps=planned), *map(step, range(1, 40))], list(map(step, range(40, 80)))
    planted = [step(9 * 10**11), evaluation(9 * 10**11, 2.0, best=True)]
    write_journal(folder.path, *before, *planted, *after)
    reader = indexed(folder)
    assert dump_state(reader.state) == dump_state(folded([*before, *after]))
    assert reader.state.history.stride == 1
    assert_same(opened(folder), reader.state)


def test_steps_beyond_the_plan_are_possible(folder: Folder) -> None:
    """The line that tells of more may be damaged, or another tool may tell of every thousandth."""
    write_journal(folder.path, started(steps=100), *map(step, range(1000, 400_000, 1000)))
    assert opened(folder).state.snapshot().step == 399_000
