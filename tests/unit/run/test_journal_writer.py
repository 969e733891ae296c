"""A journal on a disk that has no room for a while."""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run.journals import read
from tests.unit.state.folded import evaluation, state, step
from tests.waiting import until
from tui_trainer.run import journal_writer
from tui_trainer.run.events import Alert, Event, Layers, Resources, Step
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import Journal
from tui_trainer.run.journal_writer import JournalWriter


class Disk:
    """Has room for `room` bytes more; then refuses, in the middle of a line, with `error`."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.room = 10**9
        self.error = errno.ENOSPC
        self.takes_nothing = False

    def write(self, data: bytes) -> int:
        if self.takes_nothing:
            return 0
        if not self.room:
            raise OSError(self.error, os.strerror(self.error))
        written = self._file.write(data[: self.room])
        self.room -= written
        return int(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def refuse(*_: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


class Run:
    """What a session does with its journal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        with Folder.open(path.parent) as folder:
            journal = Journal(folder)
        self.disk = Disk(journal._file)
        journal._file = self.disk  # type: ignore[assignment]
        self.writer = JournalWriter(journal, self.lock, self.publish)
        self.told: list[Event] = []

    def publish(self, *events: Event) -> None:
        with self.lock:
            for event in events:
                self.told.append(event)
                self.writer.append(event)

    @property
    def written(self) -> list[Event]:
        return list(read(self.path))

    @property
    def alerts(self) -> list[tuple[str, str]]:
        return [(alert.severity, alert.message) for alert in self.told if isinstance(alert, Alert)]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path / "journal.jsonl")
    yield run
    run.disk.close()


@pytest.fixture(autouse=True)
def only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second try comes by itself."""
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 1000.0)


@pytest.mark.parametrize("room", [0, 1, 100, 400])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_what_the_disk_refuses_is_written_when_there_is_room(run: Run, room: int, error: int) -> None:
    run.publish(step(1))
    run.disk.room, run.disk.error = room, error
    run.publish(step(2), step(3), evaluation(3, 2.0, best=True), step(4))
    assert run.path.read_bytes().endswith(b"\n")
    run.disk.room = 10**9
    run.publish(state("paused", 1.0, step=4), step(5))
    assert run.written == run.told
    assert [event.step for event in run.told if isinstance(event, Step)] == [1, 2, 3, 4, 5]
    first, last = run.alerts
    assert first[0] == "error"
    assert os.strerror(error) in first[1]
    assert last == ("info", "The journal is written again: nothing is missing in it.")


def test_half_a_line_that_cannot_be_cut_off_is_cut_before_the_next(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.publish(step(1))
    run.disk.room = 100
    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", refuse)
        run.publish(step(2))
        assert not run.path.read_bytes().endswith(b"\n")
        assert list(read(run.path, run.writer.size)) == [step(1)]
    run.disk.room = 10**9
    run.publish(state("paused", 1.0, step=2))
    assert run.written == run.told


def test_a_disk_that_takes_nothing_and_says_nothing_is_not_waited_for(run: Run) -> None:
    run.disk.takes_nothing = True
    run.publish(step(1))
    assert "nothing could be written" in run.alerts[0][1]
    run.disk.takes_nothing = False
    run.publish(state("paused", 1.0, step=1))
    assert run.written == run.told


def test_a_second_outage_is_told_as_the_first_was(run: Run) -> None:
    for number in (1, 2):
        run.disk.room = 0
        run.publish(step(number))
        run.disk.room = 10**9
        run.publish(state("paused", 1.0, step=number))
    assert run.written == run.told
    assert [severity for severity, _ in run.alerts] == ["error", "info", "error", "info"]


def test_one_thread_tries_again_however_many_outages_there_were(run: Run) -> None:
    before = threading.active_count()
    for number in range(1, 9):
        run.disk.room = 0
        run.publish(step(number))
        run.disk.room = 10**9
        run.publish(state("paused", 1.0, step=number))
    assert threading.active_count() <= before + 1


def test_what_waits_too_long_is_left_out_and_said_in_its_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "MAX_WAITING", 5)
    run.disk.room = 0
    for number in range(1, 2001):
        resources = Resources(step=number, memory_bytes=1, device_memory_bytes=0)
        run.publish(step(number), resources, Layers(step=number, numbers={"norm": [1.0]}))
    run.publish(evaluation(2000, 2.0, best=True))
    assert len(run.writer.waiting()) < 10
    run.disk.room = 10**9
    run.publish(state("paused", 1.0, step=2000), step(2001))
    *steps, gap, last = run.written
    assert [event.step for event in steps if isinstance(event, Step)] == [1, 2]
    assert steps[-2:] == [evaluation(2000, 2.0, best=True), state("paused", 1.0, step=2000)]
    assert isinstance(gap, Alert)
    assert gap.message == "Steps 3 to 2,000 are not in the journal: the disk was full."
    assert last == step(2001)
    assert run.alerts[-1] == ("warning", gap.message)


def test_who_joins_meanwhile_misses_nothing_and_gets_nothing_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "MAX_WAITING", 5)
    run.publish(step(1))
    run.disk.room = 300
    for number in range(2, 11):
        run.publish(step(number))
        known = [*read(run.path, run.writer.size), *run.writer.waiting()]
        assert [event.step for event in known if isinstance(event, Step)] == list(range(1, min(number, 6) + 1))
    *_, gap = run.writer.waiting()
    assert isinstance(gap, Alert)
    assert gap.message == "Steps 7 to 10 are not in the journal: the disk was full."


def test_room_that_comes_while_nothing_happens_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.01)
    run.disk.room = 0
    run.publish(step(1))
    run.disk.room = 10**9
    until(lambda: len(run.written) == 3, "the event and both alerts")


def test_who_publishes_waits_for_one_batch_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    held, append, lock = list[int](), Journal.append, run.lock

    class Lock:
        def __enter__(self) -> None:
            lock.acquire()
            held.append(0)

        def __exit__(self, *_: object) -> None:
            lock.release()

    def counted(journal: Journal, *events: Event) -> None:
        held[-1] += 1
        append(journal, *events)

    run.disk.room = 0
    run.publish(*map(step, range(1, 21)))
    monkeypatch.setattr(journal_writer, "BATCH", 4)
    monkeypatch.setattr(journal_writer, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(Journal, "append", counted)
    run.disk.room, run.writer._retry_at, run.writer._retrying = 10**9, 0.0, True
    run.writer._lock = Lock()  # type: ignore[assignment]
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.0)
    run.writer._try_again()
    assert run.written == run.told
    assert held[:5] == [1] * 5


def test_a_journal_that_could_not_be_finished_says_what_it_lacks(run: Run) -> None:
    run.disk.room = 100
    run.publish(step(313), step(2517), state("stopped", 1.0, step=2517))
    assert run.writer.close() == "The journal lacks the last events, steps 313 to 2,517 among them: the disk was full."
    assert run.path.read_bytes() == b""


def test_a_file_system_that_refuses_when_the_file_is_closed_ends_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.publish(step(1))
    monkeypatch.setattr(Journal, "close", refuse)
    assert run.writer.close() == "The journal may lack the last events: Input/output error."


def test_room_at_the_very_end_is_enough(run: Run) -> None:
    run.disk.room = 0
    run.publish(step(1), step(2))
    run.disk.room = 10**9
    assert run.writer.close() == ""
    assert run.written == run.told
