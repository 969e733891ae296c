"""Sessions that look at the live run of another process."""

from pathlib import Path

import pytest

from tests.folding import curve
from tests.unit.run.journals import write_journal
from tests.unit.run.test_lock import held
from tests.unit.sessions.control.peers import Trainer
from tests.unit.sessions.watching import Watching, until_told
from tests.unit.state.folded import started, state, step
from tests.waiting import until
from tui_trainer.config import InputError
from tui_trainer.run import folder
from tui_trainer.run.commands import ATTACHED, Pause, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CommandApplied
from tui_trainer.sessions.attached import AttachedSession
from tui_trainer.sessions.base import Outcome
from tui_trainer.sessions.control import server
from tui_trainer.sessions.control.protocol import NO_ROOM


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
