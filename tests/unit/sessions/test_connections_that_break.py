"""A viewer whose connection to its trainer breaks, or that falls behind: what it asked and missed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.folding import curve
from tests.unit.run.test_lock import held
from tests.unit.sessions.control.peers import Trainer
from tests.unit.sessions.watching import Watching, until_told
from tests.unit.state.folded import started, step
from tests.waiting import until
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
from tui_trainer.run.events import Alert, Event
from tui_trainer.sessions.attached import UNSENT_LIMIT, AttachedSession
from tui_trainer.sessions.base import Outcome
from tui_trainer.sessions.control import server
from tui_trainer.sessions.control.address import bind
from tui_trainer.sessions.journal_reader import JournalReader


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
