"""Sessions that look at a run: a recording of one that is over, and the live one of another process."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.run.control.test_server import Trainer
from tests.unit.run.journals import write_journal
from tests.unit.run.test_lock import held
from tests.unit.run.test_state import started, state, step
from tests.waiting import TIMEOUT, arriving, until
from tui_trainer.config import InputError
from tui_trainer.run.attached import AttachedSession
from tui_trainer.run.commands import Pause, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, Event, StateChanged
from tui_trainer.run.replay import ReplaySession
from tui_trainer.run.session import Outcome, Session


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


class Watching:
    """A session in a thread of its own."""

    def __init__(self, session: Session) -> None:
        self.session, self.events = session, session.listen()
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
    assert "recording" in session.refusal
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
    assert session.snapshot().series["loss"].steps.tolist() == [1, 2, 3]
    session.leave()
    assert watching.ends()
    assert trainer.commands == []


def test_what_waits_for_room_in_the_journal_is_of_the_past_too(run: RunDirectory, trainer: Trainer) -> None:
    trainer.waiting = [step(2), Alert(step=2, kind="journal", severity="error", message="The disk is full.")]
    for event in (started(), state("running", 1.0), step(1)):
        trainer.publish(event)
    session = AttachedSession(run)
    watching = until_told(session)
    absence = session.snapshot().absence
    assert absence is not None
    assert [alert.message for alert in absence.alerts] == ["The disk is full."]
    trainer.publish(step(3))
    watching.wait_for(lambda event: event.step == 3)
    assert session.snapshot().series["loss"].steps.tolist() == [1, 2, 3]
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
    assert session.snapshot().series["loss"].steps.tolist() == [1, 2]
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


def test_a_run_that_nobody_trains_cannot_be_attached_to(run: RunDirectory) -> None:
    with pytest.raises(InputError, match="is not being trained: look at it with replay, or go on with resume"):
        AttachedSession(run)
