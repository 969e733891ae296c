"""Sessions that look at a run that is over: a recording."""

import os
from collections.abc import Iterator

import pytest

from tests.unit.run.journals import write_journal
from tests.unit.run.test_lock import held
from tests.unit.sessions.watching import Watching, until_told
from tests.unit.state.folded import started, state, step
from tui_trainer.config import InputError
from tui_trainer.history.journal_index import INDEX
from tui_trainer.launch.outcome import conclude_viewing
from tui_trainer.run import journal
from tui_trainer.run.commands import Pause, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Event, Stage
from tui_trainer.run.journal import Line
from tui_trainer.sessions import journal_reader
from tui_trainer.sessions.base import Outcome
from tui_trainer.sessions.replay import ReplaySession
from tui_trainer.state.run_state import RunState


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


def test_a_recording_that_is_left_while_it_is_read_is_not_called_alive(
    run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    write_journal(run.path, started())
    session = ReplaySession(run)
    session.leave()
    session.run()
    session.replace_state(RunState())
    assert session.snapshot().state == "loading"
    assert conclude_viewing(session) == 0
    assert capsys.readouterr().out == ""
