"""Runs in a newer format than this version knows are refused with a sentence by whatever opens them."""

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.unit.run.test_lock import held
from tests.unit.sessions.test_overview import make
from tests.unit.sessions.watching import Watching
from tests.unit.state.folded import started, step
from tests.waiting import TIMEOUT
from tui_trainer.run.codec import encode
from tui_trainer.run.commands import Command, Pause, Resume, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import CommandApplied, RunStarted, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import CHECKPOINT_FORMAT, JOURNAL_FORMAT, SOCKET_FORMAT, NewerFormatError
from tui_trainer.sessions.attached import AttachedSession
from tui_trainer.sessions.control.address import bind, unbind
from tui_trainer.sessions.control.client import Connection
from tui_trainer.sessions.listing import errors, overviews, table
from tui_trainer.sessions.overview import overview
from tui_trainer.sessions.remote_command import RemoteCommand
from tui_trainer.sessions.replay import ReplaySession

NEWER = "newer version of tui-trainer: update"


def newer_start(step: int = 0) -> RunStarted:
    return replace(started(step=step), format=JOURNAL_FORMAT + 1)


@pytest.fixture
def newer(tmp_path: Path) -> RunDirectory:
    """Taken up by a newer version after ten steps, and gone on with."""
    lines = [encode(started(format=JOURNAL_FORMAT)), *(encode(step(number)) for number in range(1, 11))]
    lines += [encode(newer_start(10)), *(encode(step(number)) for number in range(11, 20))]
    run = make(tmp_path, "cats")
    run.journal.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run


def greeting(folder: Folder, told: str) -> SimpleQueue[bytes]:
    """Have something greet whoever connects; the first that they say comes in the queue, nothing if they hang up."""
    listener, received = bind(folder), SimpleQueue[bytes]()

    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(told.encode() + b"\n")
            connection.settimeout(5)
            received.put(connection.recv(100))
            while connection.recv(100):
                pass

    threading.Thread(target=greet, daemon=True).start()
    return received


def test_replay(newer: RunDirectory) -> None:
    watching = Watching(ReplaySession(newer))
    assert watching.ends()
    assert watching.session.outcome is not None
    assert (watching.session.outcome.status, NEWER in watching.session.outcome.error) == (2, True)


def test_status_of_a_newer_journal(newer: RunDirectory) -> None:
    with pytest.raises(NewerFormatError, match=NEWER):
        overview(newer)


def test_status_of_a_newer_journal_that_is_long(tmp_path: Path) -> None:
    run = make(tmp_path, "cats")
    lines = [encode(newer_start()), *(encode(step(number)) for number in range(1, 3000))]
    run.journal.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(NewerFormatError, match=NEWER):
        overview(run)


def test_status_of_a_newer_checkpoint(tmp_path: Path) -> None:
    run = make(tmp_path, "cats")
    (run.checkpoints / "step-00000005").mkdir(parents=True)
    (run.checkpoints / "latest").write_text("step-00000005")
    trainer = run.checkpoints / "step-00000005" / "trainer.json"
    trainer.write_text(json.dumps({"format": CHECKPOINT_FORMAT, "step": 5}))
    assert overview(run).step == 5
    trainer.write_text(json.dumps({"format": CHECKPOINT_FORMAT + 1, "step": 5}))
    with pytest.raises(NewerFormatError, match=NEWER):
        overview(run)


def test_runs_has_one_of_a_newer_journal(newer: RunDirectory) -> None:
    os.utime(newer.journal, (10, 10))
    (found,) = overviews(newer.path.parent)
    assert (found.name, found.state, found.changed, found.live) == ("cats", "unreadable", 10, False)
    assert NEWER in found.error
    assert json.loads(found.json())["error"] == found.error
    heading, line = table([found], newer.path.parent).splitlines()
    assert line.split()[:4] == ["cats", "unreadable", "-", "-"]
    assert heading.index("STATE") == line.index("unreadable")
    assert errors([found]) == [f"cats: {found.error}"]


def test_attach_to_a_newer_trainer(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", started())
    with held(run), run.open() as folder:
        greeting(folder, json.dumps({"format": SOCKET_FORMAT + 1, "journal": "of another kind"}))
        watching = Watching(AttachedSession(run))
        assert watching.ends()
        assert watching.session.outcome is not None
        assert (watching.session.outcome.status, NEWER in watching.session.outcome.error) == (2, True)


def test_status_of_a_newer_trainer(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", started())
    with held(run), run.open() as folder:
        greeting(folder, json.dumps({"format": SOCKET_FORMAT + 1}))
        with pytest.raises(NewerFormatError, match=NEWER):
            overview(run)


def test_runs_has_one_of_a_newer_trainer(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", started())
    with held(run), run.open() as folder:
        greeting(folder, json.dumps({"format": SOCKET_FORMAT + 1}))
        (found,) = overviews(tmp_path)
    assert (found.state, found.live, found.pid) == ("unreadable", True, os.getpid())
    assert NEWER in found.error


COMMANDS = [Stop(value=True), Pause(), SaveCheckpoint(), Resume()]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_newer_trainer_is_sent_no_command(tmp_path: Path, command: Command) -> None:
    run = make(tmp_path, "cats", started())
    with held(run), run.open() as folder:
        received = greeting(folder, json.dumps({"format": SOCKET_FORMAT + 1, "state": "running"}))
        result = RemoteCommand(run, command, TIMEOUT).execute()
        assert (result.done, NEWER in result.line) == (False, True)
        assert received.get(timeout=TIMEOUT) == b""


def test_a_trainer_without_a_format_takes_a_command(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", started())
    applied = [CommandApplied(step=7, name="pause", value=None, source="x"), StateChanged(step=7, state="paused")]
    with held(run), run.open() as folder:
        lines = [json.dumps({"journal": 0, "state": "running"}), *map(encode, applied)]
        received = greeting(folder, "\n".join(lines))
        result = RemoteCommand(run, Pause(), TIMEOUT).execute()
        assert (result.done, result.line) == (True, "cats is paused at step 7")
        assert json.loads(received.get(timeout=TIMEOUT)) == {"command": "pause"}


def test_status_and_runs_of_a_trainer_without_a_format(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", started())
    for look in (overview, lambda run: overviews(run.path.parent)[0]):
        with held(run), run.open() as folder:
            greeting(folder, json.dumps({"journal": 0, "state": "paused", "step": 7}))
            found = look(run)
            unbind(folder)
        assert (found.state, found.step) == ("paused", 7)


@pytest.mark.parametrize("told", [{}, {"format": 1}, {"format": SOCKET_FORMAT}])
def test_every_earlier_greeting_is_read(tmp_path: Path, told: dict[str, int]) -> None:
    with Folder.open(tmp_path) as folder:
        greeting(folder, json.dumps({"journal": 5, "state": "running", **told}))
        with Connection(folder) as connection:
            assert connection.greet().journal == 5
