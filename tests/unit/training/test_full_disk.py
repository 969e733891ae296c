"""A disk that takes nothing more: what a run that cannot begin leaves, what is told meanwhile, the end, the journal."""

from pathlib import Path

import pytest

from tests.unit.run import journals
from tests.unit.training.helpers import (
    ENDLESS,
    Resumed,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    steps_of,
    stop_after,
    watched,
)
from tui_trainer.run import journal_writer
from tui_trainer.run.codec import encode
from tui_trainer.run.commands import Command, Generate, Pause, SaveCheckpoint, SetTemperature, Stop
from tui_trainer.run.directory import CONFIG
from tui_trainer.run.events import Alert, CheckpointSaved, Event, RunStarted, StateChanged, Step
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import Journal
from tui_trainer.run.lock import RunLock
from tui_trainer.sessions.base import Joined, Outcome
from tui_trainer.sessions.overview import overview
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.local import LocalSession

FULL = OSError(28, "No space left on device")


# -- a run that cannot begin ----------------------------------------------------------------------------------------


def without_room_for_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is begun all the same, in a file that is to take its name."""
    replace = Folder.replace

    def refuse(folder: Folder, name: str, data: bytes) -> None:
        if name == CONFIG:
            with folder.open_new(f".{name}.partial"):
                raise FULL
        replace(folder, name, data)

    monkeypatch.setattr(Folder, "replace", refuse)


def without_room_for_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(lock: RunLock, folder: Folder) -> None:
        raise FULL

    monkeypatch.setattr(RunLock, "__init__", refuse)


@pytest.mark.parametrize("short", [without_room_for_its_configuration, without_room_for_its_lock])
def test_a_run_that_cannot_begin_leaves_its_name_free(
    short: object, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        assert callable(short)
        short(patch)
        session = run_to_end(small_config(corpus, name="cats"))
    assert session.outcome is not None and session.outcome.status == 2
    assert "No space left on device" in session.outcome.error
    assert list(runs.iterdir()) == []
    assert run_to_end(small_config(corpus, name="cats")).snapshot().state == "finished"


def test_what_others_put_into_its_directory_meanwhile_stays(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Folder, name: str, data: bytes) -> None:
        (folder.path / "notes").write_text("mine")
        raise FULL

    monkeypatch.setattr(Folder, "replace", refuse)
    run_to_end(small_config(corpus, name="cats"))
    assert [path.name for path in (runs / "cats").iterdir()] == ["notes"]


def test_a_run_that_cannot_be_taken_up_again_loses_nothing(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end(small_config(corpus), stop_after(6))
    before = {path.name for path in only_run(runs).path.iterdir()}
    without_room_for_its_configuration(monkeypatch)
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert resumed.outcome is not None and resumed.outcome.status == 2
    assert before <= {path.name for path in only_run(runs).path.iterdir()}


# -- what is told meanwhile -----------------------------------------------------------------------------------------


def test_the_state_of_a_live_run_is_told_by_its_trainer_where_the_journal_lacks_it(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, append = False, Journal.append

    def append_if_room(journal: Journal, *events: Event) -> None:
        if full:
            raise FULL
        append(journal, *events)

    monkeypatch.setattr(Journal, "append", append_if_room)
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 3600.0)
    session = LocalSession(small_config(corpus, steps=ENDLESS, eval_every=ENDLESS, sample_every=ENDLESS))
    with watched(session) as watcher:
        watcher.wait_for_kind(Step)
        full = True
        watcher.ask(Pause())
        paused = watcher.wait_for_state("paused")
        found = overview(only_run(runs))
        assert (found.state, found.step) == ("paused", paused.step)
        full = False
    assert overview(only_run(runs)).state == "stopped", "there is room for it at the end"


# -- how a run ends -------------------------------------------------------------------------------------------------


def refusing_to_save(monkeypatch: pytest.MonkeyPatch, *reasons: str) -> None:
    save = CheckpointStore.save

    def save_unless(store: CheckpointStore, contents: Contents, reason: str) -> Path:
        if reason in reasons:
            raise FULL
        return save(store, contents, reason)

    monkeypatch.setattr(CheckpointStore, "save", save_unless)


@pytest.mark.parametrize("source", ["headless", "keyboard"])
def test_a_finished_run_whose_end_cannot_be_saved_has_not_succeeded(
    source: str, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights of its last step are saved, but neither its end nor its settings."""
    refusing_to_save(monkeypatch, "finished")
    session = ScriptedSession(
        small_config(corpus),
        lambda event: (
            Stop(value=False, source=source) if isinstance(event, StateChanged) and event.state == "finished" else None
        ),
    )
    session.run()
    assert session.of(CheckpointSaved)[-1].step == 12
    assert session.snapshot().state == "finished"
    assert session.outcome is not None and session.outcome.status == 1
    assert "could not be saved" in session.outcome.warning


@pytest.mark.parametrize("command", [SetTemperature(value=0.5), Generate()], ids=["settings", "nothing"])
def test_a_run_whose_last_step_is_saved_may_end_but_has_succeeded_only_if_nothing_is_lost(
    command: Command, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing_to_save(monkeypatch, "stopped")
    session = ScriptedSession(small_config(corpus, steps=ENDLESS))

    def react(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 2:
            session.send(Pause())
            return SaveCheckpoint()
        if isinstance(event, CheckpointSaved):
            session.send(command)
            return Stop()
        return None

    session.react = react
    session.run()
    assert session.snapshot().state == "stopped"
    assert session.of(CheckpointSaved)[-1].step == session.snapshot().step
    assert session.outcome is not None
    assert session.outcome.status == (command.name == SetTemperature.name)
    assert bool(session.outcome.warning) == bool(session.outcome.status)


def test_an_end_that_can_be_saved_at_the_second_attempt_is_one(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refusing_to_save(patch, "finished")

        def make_room(event: Event) -> None:
            if isinstance(event, StateChanged) and event.state == "finished":
                patch.undo()

        session = run_to_end(small_config(corpus), make_room)
    assert session.outcome is not None and (session.outcome.status, session.outcome.warning) == (0, "")


def test_a_run_that_is_not_to_be_saved_needs_no_room(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing_to_save(monkeypatch, "periodic", "best", "stopped")
    session = run_to_end(small_config(corpus), stop_after(5, save=False))
    assert session.outcome is not None and session.outcome.status == 0


# -- the journal ----------------------------------------------------------------------------------------------------


def refusing(monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    """A disk without room from step `first` on, up to `last`."""
    append, now = Journal.append, 0

    def append_if_room(self: Journal, *events: Event) -> None:
        nonlocal now
        now = max([now, *(event.step for event in events)])
        if first <= now <= last:
            raise OSError(28, "No space left on device")
        append(self, *events)

    monkeypatch.setattr(Journal, "append", append_if_room)


def test_a_journal_that_cannot_be_written_does_not_end_the_run(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, 5, ENDLESS)
    session = run_to_end(small_config(corpus))
    assert session.snapshot().state == "finished"
    (alert,) = session.snapshot().alerts
    assert (alert.kind, alert.severity, alert.step) == ("journal", "error", 5)
    assert "No space left on device" in alert.message
    assert steps_of(journalled(session)) == [1, 2, 3, 4]
    assert session.outcome == Outcome(
        warning="The journal lacks the last events, steps 5 to 12 among them: the disk was full."
    )


def test_a_journal_has_all_events_once_there_is_room(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.0)
    refusing(monkeypatch, 5, 7)
    session = run_to_end(small_config(corpus))
    told = [event for event in session.events if event.journalled]
    assert sorted(map(encode, journalled(session))) == sorted(
        map(encode, told[told.index(session.of(RunStarted)[0]) :])
    )
    assert steps_of(journalled(session)) == list(range(1, 13))
    assert [alert.severity for alert in session.of(Alert) if alert.kind == "journal"] == ["error", "info"]


def test_who_joins_while_the_disk_is_full_has_every_step_once(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.0)
    refusing(monkeypatch, 5, 7)
    joined: list[Joined] = []

    def join(event: Event) -> None:
        if isinstance(event, Step) and event.step == 6:
            joined.append(session.join())

    session = ScriptedSession(small_config(corpus), join)
    session.run()
    (viewer,) = joined
    written = list(journals.read(session.directory_of_run.journal, viewer.size))
    to_come = [viewer.events.get_nowait() for _ in range(viewer.events.qsize())]
    assert [steps_of(written), steps_of(viewer.waiting), steps_of(to_come)] == [
        [1, 2, 3, 4],
        [5, 6],
        [7, 8, 9, 10, 11, 12],
    ]
    assert [event.severity for event in viewer.waiting if isinstance(event, Alert)] == ["error"]


def test_steps_that_a_killed_trainer_had_not_written_are_told_of(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(9))
    directory = only_run(runs)
    lines = directory.journal.read_text(encoding="utf-8").splitlines(keepends=True)
    fifth = next(number for number, line in enumerate(lines) if '"event": "step", "step": 5' in line)
    directory.journal.write_text("".join(lines[:fifth]), encoding="utf-8")
    session = Resumed(directory)
    session.run()
    (alert,) = [alert for alert in session.of(Alert) if alert.kind == "journal"]
    assert (alert.step, alert.severity) == (9, "warning")
    assert alert.message.startswith("Steps 5 to 9 are not in the journal: ")
    assert alert in journalled(session)
