"""Sessions that look at a run: a recording of one that is over, and the live one of another process."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.folding import curve
from tests.unit.run.journals import write_journal
from tests.unit.run.test_lock import held
from tests.unit.sessions.control.peers import Trainer
from tests.unit.state.test_run_state import started, state, step
from tests.waiting import TIMEOUT, arriving, until
from tui_trainer.config import InputError
from tui_trainer.history.journal_index import INDEX
from tui_trainer.run import folder, journal
from tui_trainer.run.commands import (
    ATTACHED,
    Attach,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    Stop,
)
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CommandApplied, Event, Stage, StateChanged
from tui_trainer.run.journal import Line
from tui_trainer.sessions import journal_reader
from tui_trainer.sessions.attached import UNSENT_LIMIT, AttachedSession
from tui_trainer.sessions.base import Outcome, Session
from tui_trainer.sessions.control import server
from tui_trainer.sessions.control.address import bind
from tui_trainer.sessions.control.protocol import NO_ROOM
from tui_trainer.sessions.journal_reader import JournalReader
from tui_trainer.sessions.replay import ReplaySession


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


class Watching:
    """A session in a thread of its own."""

    def __init__(self, session: Session) -> None:
        self.session, self.events = session, session.subscribe()
        self._thread = threading.Thread(target=session.run, daemon=True)
        self._thread.start()

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        return next(filter(wanted, arriving(self.events)))

    def wait_for_state(self, name: str) -> Event:
        return self.wait_for(lambda event: isinstance(event, StateChanged) and event.state == name)

    def ends(self) -> bool:
        self._thread.join(TIMEOUT)
        return not self._thread.is_alive()


# -- a recording ---------------------------------------------------------------------------------------------------


def until_told(session: Session) -> Watching:
    watching = Watching(session)
    until(lambda: session.snapshot().step, "the first step")
    return watching


def test_a_recording_shows_the_end_until_it_is_left(run: RunDirectory) -> None:
    write_journal(run.path, started(), step(1), step(2), state("finished", 9.0, step=2))
    session = ReplaySession(run)
    watching = until_told(session)
    assert (session.snapshot().state, session.snapshot().step) == ("finished", 2)
    assert "recording" in session.read_only_reason
    session.send(Pause())
    session.leave()
    assert watching.ends()


def test_a_recording_of_a_run_that_vanished_says_so(run: RunDirectory) -> None:
    write_journal(run.path, started(), state("running", 1.0), step(1))
    watching = Watching(ReplaySession(run))
    event = watching.wait_for_state("failed")
    assert "has vanished" in str(vars(event)["reason"])
    watching.session.send(Stop())
    assert watching.ends()


@pytest.mark.timeout(20)
def test_a_recording_can_be_left_while_its_journal_is_read(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    write_journal(run.path, started())
    session = ReplaySession(run)

    def endless(*_: object) -> Iterator[tuple[Line, Event]]:
        yield Line(0, 1, b"\n"), started()
        session.leave()
        while True:
            yield Line(0, 1, b"\n"), step(1)

    monkeypatch.setattr(journal, "valid_lines", endless)
    session.run()
    assert session.outcome == Outcome()


def test_while_a_long_recording_is_read_it_is_told_how_much_is(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_reader, "LINES", 100)
    write_journal(run.path, started(), *map(step, range(1, 1001)))
    watching = until_told(ReplaySession(run))
    told = [event for event in (watching.events.get_nowait() for _ in range(10)) if isinstance(event, Stage)]
    assert [stage.stage for stage in told] == ["reading the journal"] * 10
    assert [stage.done for stage in told] == sorted(stage.done for stage in told)
    assert {stage.total for stage in told} == {run.journal.stat().st_size}
    watching.session.leave()
    assert watching.ends()


@pytest.mark.parametrize("ours", [True, False])
def test_an_index_is_kept_of_a_recording_that_is_ours(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    monkeypatch.setattr(journal_reader, "SPACING", 16)
    write_journal(run.path, started(), *map(step, range(1, 101)))
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user if ours else user + 1)
    watching = until_told(ReplaySession(run))
    watching.session.leave()
    assert watching.ends()
    assert (run.path / INDEX).is_file() is ours


def test_a_recording_in_a_newer_format_is_refused(run: RunDirectory) -> None:
    run.journal.write_text('{"event": "run", "run": "x", "format": 1000}\n', encoding="utf-8")
    session = ReplaySession(run)
    session.run()
    assert session.outcome is not None
    assert session.outcome.status == 2 and "newer version" in session.outcome.error


def test_what_is_no_recording_is_refused(run: RunDirectory) -> None:
    with pytest.raises(InputError, match="has no journal"):
        ReplaySession(run)
    write_journal(run.path, started())
    with held(run), pytest.raises(InputError, match="is being trained: look at it with attach"):
        ReplaySession(run)


# -- a live run ----------------------------------------------------------------------------------------------------


@pytest.fixture
def trainer(run: RunDirectory) -> Iterator[Trainer]:
    with held(run):
        trainer = Trainer(run.path)
        yield trainer
        trainer.control.close()


def test_past_and_present_come_together(run: RunDirectory, trainer: Trainer) -> None:
    for event in (started(), state("running", 1.0), step(1), step(2)):
        trainer.publish(event)
    session = AttachedSession(run)
    watching = until_told(session)
    assert session.snapshot().step == 2
    trainer.publish(step(3))
    watching.wait_for(lambda event: event.step == 3)
    assert curve(session.snapshot(), "loss").steps.tolist() == [1, 2, 3]
    session.leave()
    assert watching.ends()
    assert trainer.commands == []


def test_a_run_that_was_looked_at_lies_where_it_lay_last(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "other").mkdir()
    with held(cats := RunDirectory(tmp_path / "cats")):
        session = AttachedSession(cats)
    cats.path.rename(tmp_path / "dogs")
    session.leave()
    session.run()
    with RunDirectory(tmp_path / "other").open():
        assert session.run_path == tmp_path / "dogs"


def test_the_journal_of_a_run_that_moved_is_read_where_nobody_tells_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cats").mkdir()
    write_journal(tmp_path / "cats", started(), state("running", 1.0), step(1), step(2))
    monkeypatch.setattr(folder, "_system_path", lambda descriptor: None)
    with held(cats := RunDirectory(tmp_path / "cats")):
        session = AttachedSession(cats)
    cats.path.rename(tmp_path / "dogs")
    watching = Watching(session)
    watching.wait_for_state("failed")
    assert session.snapshot().step == 2
    session.leave()
    assert watching.ends()


def test_what_waits_for_room_in_the_journal_is_of_the_past_too(run: RunDirectory, trainer: Trainer) -> None:
    trainer.waiting = [step(2), Alert(step=2, kind="journal", severity="error", message="The disk is full.")]
    for event in (started(), state("running", 1.0), step(1)):
        trainer.publish(event)
    session = AttachedSession(run)
    watching = until_told(session)
    assert session.missed is not None
    assert [alert.message for alert in session.missed.alerts] == ["The disk is full."]
    trainer.publish(step(3))
    watching.wait_for(lambda event: event.step == 3)
    assert curve(session.snapshot(), "loss").steps.tolist() == [1, 2, 3]
    session.leave()
    assert watching.ends()


def test_a_journal_that_is_gone_is_said(run: RunDirectory, trainer: Trainer) -> None:
    trainer.publish(step(1))
    run.journal.unlink()
    session = AttachedSession(run)
    assert Watching(session).ends()
    assert session.outcome == Outcome(2, f"The journal of {run.name} cannot be read: No such file or directory.")


def test_steps_taken_again_come_in_the_place_of_those_before_though_they_wait(
    run: RunDirectory, trainer: Trainer
) -> None:
    trainer.waiting = [started(step=1), step(2)]
    for event in (started(), step(1), step(2), step(3)):
        trainer.publish(event)
    session = AttachedSession(run)
    watching = until_told(session)
    assert curve(session.snapshot(), "loss").steps.tolist() == [1, 2]
    session.leave()
    assert watching.ends()


def test_commands_reach_the_trainer(run: RunDirectory, trainer: Trainer) -> None:
    trainer.publish(step(1))
    session = AttachedSession(run)
    watching = until_told(session)
    session.send(Pause())
    trainer.publish(step(2))
    watching.wait_for(lambda event: event.step == 2)
    until(lambda: trainer.commands, "the command")
    assert [command.name for command in trainer.commands] == ["pause"]
    session.leave()
    assert watching.ends()


def test_a_trainer_that_vanishes_is_told_of(run: RunDirectory) -> None:
    lock = held(run)
    trainer = Trainer(run.path)
    trainer.publish(step(1))
    session = AttachedSession(run)
    watching = until_told(session)
    lock.close()
    trainer.control.close()
    event = watching.wait_for_state("failed")
    assert "resume goes on from the newest checkpoint" in str(vars(event)["reason"])
    session.send(Stop())
    assert watching.ends()


def test_who_joins_as_a_run_ends_sees_how_it_ended(run: RunDirectory) -> None:
    """The trainer was there when the viewer began, and has gone before it could be connected to."""
    write_journal(run.path, started(), state("running", 1.0), step(1), step(2), state("finished", 9.0, step=2))
    with held(run):
        session = AttachedSession(run)
    watching = Watching(session)
    until(lambda: session.read_only_reason, "the end")
    now = session.snapshot()
    assert (now.state, now.step, curve(now, "loss").steps.tolist()) == ("finished", 2, [1, 2])
    assert session.missed is not None and session.missed.ended == "finished"
    session.leave()
    assert watching.ends()
    assert session.outcome is not None and session.outcome.status == 0


def test_what_a_viewer_missed_of_the_end_is_in_the_journal(run: RunDirectory) -> None:
    """It has seen the beginning, was sent away, and did not come back in time."""
    lock = held(run)
    trainer = Trainer(run.path)
    trainer.publish(started())
    trainer.publish(step(1))
    session = AttachedSession(run)
    watching = until_told(session)
    trainer.control.close()
    write_journal(run.path, step(2), state("stopped", 9.0, step=2, reason="by keyboard"))
    lock.close()
    until(lambda: session.read_only_reason, "the end")
    assert (session.snapshot().state, session.snapshot().step) == ("stopped", 2)
    session.leave()
    assert watching.ends()


def test_a_run_that_has_no_journal_when_its_trainer_is_gone_has_vanished(run: RunDirectory) -> None:
    with held(run):
        session = AttachedSession(run)
    watching = Watching(session)
    assert "has vanished" in str(vars(watching.wait_for_state("failed"))["reason"])
    session.send(Stop())
    assert watching.ends()


# -- a connection that breaks --------------------------------------------------------------------------------------


@contextmanager
def cut_off(run: RunDirectory) -> Iterator[AttachedSession]:
    """A viewer that has lost its connection to a trainer that lives."""
    with held(run):
        trainer = Trainer(run.path)
        trainer.publish(started())
        trainer.publish(step(1))
        session = AttachedSession(run)
        watching = until_told(session)
        trainer.control.close()
        until(lambda: session._connection is None, "the loss of the connection")
        yield session
        session.leave()
        assert watching.ends()


def test_what_is_asked_meanwhile_is_sent_in_order_when_there_is_a_connection_again(run: RunDirectory) -> None:
    asked = [Pause(), SetTemperature(value=0.5), SetPrompt(value="dog"), Resume(), Stop()]
    with cut_off(run) as session:
        for command in asked:
            session.send(command)
        trainer = Trainer(run.path)
        until(lambda: len(trainer.commands) == len(asked), "the commands")
        session.send(Generate())
        until(lambda: len(trainer.commands) > len(asked), "one more")
        assert trainer.commands == [replace(command, source=ATTACHED) for command in [*asked, Generate()]]
        trainer.control.close()


def test_what_cannot_wait_any_more_is_told(run: RunDirectory) -> None:
    with cut_off(run) as session:
        for _ in range(UNSENT_LIMIT):
            session.send(Pause())
        assert session.snapshot().alerts == ()
        session.send(SaveCheckpoint())
        assert [alert.message for alert in session.snapshot().alerts] == [
            "Not sent: save_checkpoint. There is no connection, and 100 commands wait for one."
        ]
        session.send(Stop())  # for that there is always room
        assert len(session._unsent) == UNSENT_LIMIT + 1


def test_what_came_too_late_for_the_trainer_is_told(run: RunDirectory) -> None:
    lock = held(run)
    trainer = Trainer(run.path)
    trainer.publish(started())
    trainer.publish(step(1))
    session = AttachedSession(run)
    watching = until_told(session)
    trainer.control.close()
    until(lambda: session._connection is None, "the loss of the connection")
    session.send(Pause())
    session.send(SetPrompt(value="dog"))
    lock.close()
    warning = watching.wait_for(lambda event: isinstance(event, Alert))
    assert vars(warning)["message"] == "The trainer had ended before this could be sent: pause, set_prompt."
    session.leave()
    assert watching.ends()


@pytest.mark.parametrize("greeting", [b"", b'{"jour', b"[]\n", b"\xff\n", b"[" * 5_000 + b"\n"], ids=range(5))
def test_a_trainer_that_hangs_up_before_it_has_greeted_is_tried_again(run: RunDirectory, greeting: bytes) -> None:
    with held(run), run.open() as folder:
        listener = bind(folder)
        session = AttachedSession(run)
        watching = Watching(session)
        connection, _ = listener.accept()
        session.send(Pause())
        connection.sendall(greeting)
        connection.close()
        listener.close()
        trainer = Trainer(run.path)
        until(lambda: trainer.commands, "the command")
        assert trainer.commands == [Pause(ATTACHED)]
        session.leave()
        assert watching.ends()
        trainer.control.close()


def test_a_viewer_that_reads_a_long_past_is_not_sent_away(
    run: RunDirectory, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More happens meanwhile than a socket holds, and it takes longer than the trainer waits for anybody."""
    many = 4_000

    def read_long(self: JournalReader, *arguments: Any) -> Iterator[tuple[int, int]]:
        yield from read(self, *arguments)
        for number in range(2, many):
            trainer.publish(step(number))
        until(lambda: all(events.empty() for events in trainer._subscribers), "the socket")

    read = JournalReader.read
    monkeypatch.setattr(JournalReader, "read", read_long)
    monkeypatch.setattr(server, "STALLED_SECONDS", 0.05)
    trainer.publish(started())
    trainer.publish(step(1))
    session = AttachedSession(run)
    watching = Watching(session)
    until(lambda: session.snapshot().step == many - 1, "the last step")
    assert len(curve(session.snapshot(), "loss")) == many - 1
    assert trainer.asked == [Attach(ATTACHED)]
    session.leave()
    assert watching.ends()


def test_a_viewer_leaves_though_much_was_received_before(
    run: RunDirectory, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without taking it in."""

    def leave(self: AttachedSession, event: Event) -> None:
        taken.append(event)
        until(lambda: not trainer_busy.is_set(), "all the steps")
        self.leave()

    taken: list[Event] = []
    trainer_busy = threading.Event()
    trainer_busy.set()
    monkeypatch.setattr(AttachedSession, "_receive", leave)
    trainer.publish(started())
    watching = Watching(session := AttachedSession(run))
    until(lambda: trainer.asked, "the viewer")
    for number in range(1, 1000):
        trainer.publish(step(number))
    until(lambda: all(events.empty() for events in trainer._subscribers), "the socket")
    trainer_busy.clear()
    assert watching.ends()
    assert len(taken) == 1
    assert session.outcome == Outcome()


def test_the_first_to_come_has_missed_what_happened_and_the_next_nothing(run: RunDirectory, trainer: Trainer) -> None:
    for event in (started(), step(1), step(2)):
        trainer.publish(event)
    first = AttachedSession(run)
    watching = [until_told(first)]
    assert first.missed is not None and first.missed.from_start
    trainer.publish(CommandApplied(step=2, name="attach", value=None, source=ATTACHED))
    second = AttachedSession(run)
    watching.append(until_told(second))
    assert second.missed is None
    for each in watching:
        each.session.leave()
        assert each.ends()


def test_a_run_that_nobody_trains_cannot_be_attached_to(run: RunDirectory) -> None:
    with pytest.raises(InputError, match="is not being trained: look at it with replay, or go on with resume"):
        AttachedSession(run)


def test_a_run_that_moves_is_looked_at_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    run = RunDirectory(tmp_path / "cats")
    lock = held(run)
    trainer = Trainer(run.path)
    trainer.publish(step(1))
    session = AttachedSession(run)
    watching = until_told(session)
    run.path.rename(tmp_path / "dogs")
    trainer.publish(step(2))
    watching.wait_for(lambda event: event.step == 2)
    assert session.run_path == tmp_path / "dogs"
    trainer.publish(state("stopped", 9.0, step=2))
    lock.close()
    trainer.control.close()
    watching.wait_for_state("stopped")
    session.leave()
    assert watching.ends()
    assert not run.path.exists() and list((tmp_path / "dogs").glob("*.sock")) == []


def test_a_viewer_that_there_is_no_room_for_is_told_so(
    run: RunDirectory, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_VIEWERS", 0)
    session = AttachedSession(run)
    assert Watching(session).ends()
    assert session.outcome == Outcome(2, NO_ROOM)
