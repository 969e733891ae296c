"""One command to a live run, and its answer: whatever the run is at, it is one sentence and in time."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests import scripted
from tests.unit.run.journals import write_journal
from tests.unit.run.test_lock import held
from tests.waiting import TIMEOUT, until
from tui_trainer.config import Config
from tui_trainer.run.commands import COMMAND_LINE, Command, Pause, Resume, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CheckpointSaved, CommandApplied, Event, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.run.lock import RunLock
from tui_trainer.sessions import remote_command
from tui_trainer.sessions.base import Joined
from tui_trainer.sessions.control import server
from tui_trainer.sessions.control.address import bind, unbind
from tui_trainer.sessions.control.client import Connection
from tui_trainer.sessions.control.server import ControlServer
from tui_trainer.sessions.remote_command import CommandResult, RemoteCommand, send_to_runs


class LiveRun(scripted.ScriptedSession):
    """A trainer of a run, to which everybody may come; what it does at a command is `reacts`."""

    def __init__(self, run: RunDirectory, events: list[Event]) -> None:
        super().__init__(events)
        self.directory, self._folder = run, run.open()
        self.reacts: Callable[[LiveRun, Command], None] = LiveRun.as_a_trainer
        self._over = threading.Lock()
        self._held: RunLock | None = held(run)
        self._control: ControlServer | None = None

    def listen_to_others(self) -> None:
        self._control = ControlServer(self._folder, self._join, self.unsubscribe, self.send)

    def _join(self) -> Joined:
        now = self.snapshot()
        return Joined(0, [], self.subscribe(), {"state": now.state, "step": now.step, "pid": 1234})

    def reply(self, command: Command) -> None:
        threading.Thread(target=self.reacts, args=[self, command], daemon=True).start()

    def as_a_trainer(self, command: Command) -> None:
        super().reply(command)
        if isinstance(command, Stop):
            if command.value:
                self.publish(CheckpointSaved(step=self.step, path="there/step-1240", reason="stopped"))
            self.publish(StateChanged(step=self.step, state="stopped", reason="by command line"))
            self.end()

    @property
    def step(self) -> int:
        return self.snapshot().step

    def applied(self, command: Command) -> None:
        self.publish(CommandApplied(step=self.step, name=command.name, value=command.argument, source="x"))

    def end(self) -> None:
        """As the process ends: the socket first, then the lock."""
        with self._over:
            if self._control is not None:
                self._control.close()
            if self._held is not None:
                self._held.close()
                self._folder.close()
            self._control = self._held = None


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "cats")
    run.path.mkdir()
    run.config.write_text(Config().to_toml(), encoding="utf-8")
    return run


@pytest.fixture
def live(run: RunDirectory) -> Iterator[Callable[..., LiveRun]]:
    begun: list[LiveRun] = []

    def begin(events: list[Event], listens: bool = True) -> LiveRun:
        begun.append(LiveRun(run, events))
        if listens:
            begun[0].listen_to_others()
        return begun[0]

    yield begin
    for each in begun:
        each.end()


def asked(run: RunDirectory, command: Command, seconds: float = TIMEOUT) -> CommandResult:
    return RemoteCommand(run, command, seconds).execute()


Live = Callable[..., LiveRun]


def test_a_stop_is_done_when_the_run_is_over_and_saved(run: RunDirectory, live: Live) -> None:
    live(scripted.running())
    answer = asked(run, Stop())
    assert (answer.done, answer.state, answer.checkpoint) == (True, "stopped", str(run.checkpoints / "step-1240"))
    assert answer.line == f"cats is stopped at step 1,240, and saved in {answer.checkpoint}"
    assert json.loads(answer.json())["message"] == answer.line


def test_a_stop_without_saving_says_so(run: RunDirectory, live: Live) -> None:
    session = live(scripted.paused())
    answer = asked(run, Stop(value=False))
    assert answer.done and answer.line == "cats is stopped at step 1,240, without saving"
    assert session.commands == [Stop(COMMAND_LINE, value=False)]


@pytest.mark.parametrize(("newest", "done"), [("step-00001200", False), ("step-00001240", True)])
def test_of_two_stops_the_one_that_comes_too_late_to_save_does_not_claim_it(
    run: RunDirectory, live: Live, newest: str, done: bool
) -> None:
    def stopped_by_another(session: LiveRun, command: Command) -> None:
        session.publish(CommandApplied(step=session.step, name=command.name, value=False, source="attached"))
        session.publish(StateChanged(step=session.step, state="stopped", reason="by attached"))
        session.end()

    run.checkpoints.mkdir()
    (run.checkpoints / "latest").write_text(f"{newest}\n")
    live(scripted.running()).reacts = stopped_by_another
    answer = asked(run, Stop())
    assert answer.done == done
    assert ("that step is not saved: another command ended it first" in answer.line) == (not done)
    assert answer.checkpoint == (str(run.checkpoints / newest) if done else "")


def test_a_stop_that_could_not_be_saved_is_not_done(run: RunDirectory, live: Live) -> None:
    def full_disk(session: LiveRun, command: Command) -> None:
        session.applied(command)
        session.publish(Alert(kind="stop", severity="error", message="Not stopped, as nothing could be saved."))

    live(scripted.running()).reacts = full_disk
    answer = asked(run, Stop())
    assert not answer.done and answer.line == "cats is paused instead. Not stopped, as nothing could be saved"


def test_a_trainer_that_is_killed_amid_the_stop_is_no_success(run: RunDirectory, live: Live) -> None:
    session = live(scripted.running())
    session.reacts = lambda session, command: session.end()
    write_journal(run.path, *scripted.running(5))
    answer = asked(run, Stop())
    assert not answer.done and "has vanished" in answer.text


def test_a_finished_run_whose_screen_is_open_is_stopped(run: RunDirectory, live: Live) -> None:
    (run.checkpoints).mkdir()
    (run.checkpoints / "latest").write_text("step-00005000\n")
    live(scripted.finished()).reacts = lambda session, command: session.end()
    answer = asked(run, Stop())
    assert answer.done and answer.state == "finished"
    assert answer.checkpoint == str(run.checkpoints / "step-00005000")


def test_a_strange_pointer_names_no_place(run: RunDirectory, live: Live) -> None:
    run.checkpoints.mkdir()
    (run.checkpoints / "latest").write_text("../../../etc")
    live(scripted.finished()).reacts = lambda session, command: session.end()
    assert asked(run, Stop()).checkpoint == ""


def test_a_failed_run_is_over_and_yet_no_success(run: RunDirectory, live: Live) -> None:
    live(scripted.failed()).reacts = lambda session, command: session.end()
    answer = asked(run, Stop())
    assert not answer.done and "had failed at step 1,240" in answer.text


@pytest.mark.parametrize(
    ("events", "command", "line"),
    [
        (scripted.running(), Pause(), "cats is paused at step 1,240"),
        (scripted.paused(), Resume(), "cats is running at step 1,240"),
        (scripted.paused(), Pause(), "cats is paused already, at step 1,240"),
        (scripted.running(), Resume(), "cats is running already, at step 1,240"),
        (scripted.running(), SaveCheckpoint(), "cats is saved at step 1,240 in {place}"),
    ],
)
def test_what_is_done_is_a_line(
    run: RunDirectory, live: Live, events: list[Event], command: Command, line: str
) -> None:
    session = live(events)

    def reply(session: LiveRun, command: Command) -> None:
        if isinstance(command, SaveCheckpoint):
            session.publish(CheckpointSaved(step=1_000, path="elsewhere", reason="asked"))
            session.applied(command)
            session.publish(CheckpointSaved(step=session.step, path="best", reason="best"))
            session.publish(CheckpointSaved(step=session.step, path="runs/step-1240", reason="asked"))
        else:
            session.as_a_trainer(command)

    session.reacts = reply
    answer = asked(run, command)
    assert answer.done and answer.line == line.format(place=run.checkpoints / "step-1240")


@pytest.mark.parametrize("command", [Pause(), Resume(), SaveCheckpoint()])
@pytest.mark.parametrize("state", ["finished", "failed"])
def test_an_ended_run_is_not_steered(run: RunDirectory, live: Live, command: Command, state: str) -> None:
    live(scripted.finished() if state == "finished" else scripted.failed())
    answer = asked(run, command)
    if isinstance(command, SaveCheckpoint) and state == "finished":
        assert answer.done
    else:
        assert not answer.done and f"has {state}, at step" in answer.text


def test_a_run_that_is_still_loading_is_told_to_go_on(run: RunDirectory, live: Live) -> None:
    def begin(session: LiveRun, command: Command) -> None:
        session.publish(StateChanged(state="running"))
        session.applied(command)

    live(scripted.loading()).reacts = begin
    assert asked(run, Resume()).line == "cats is running at step 0"


def test_a_run_that_finishes_before_it_can_be_paused(run: RunDirectory, live: Live) -> None:
    def finish(session: LiveRun, command: Command) -> None:
        session.applied(command)
        session.publish(StateChanged(step=session.step, state="finished"))

    live(scripted.running()).reacts = finish
    answer = asked(run, Pause())
    assert not answer.done and "has finished first" in answer.text


def test_a_checkpoint_that_could_not_be_saved(run: RunDirectory, live: Live) -> None:
    def full_disk(session: LiveRun, command: Command) -> None:
        session.applied(command)
        session.publish(Alert(kind="checkpoint", severity="error", message="The checkpoint could not be saved: full."))

    live(scripted.running()).reacts = full_disk
    answer = asked(run, SaveCheckpoint())
    assert not answer.done and answer.text == "is running as before. The checkpoint could not be saved: full"


def at_the_first_failure(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Do something once nobody has listened, before that is tried again."""

    def connect(folder: Folder, check: Callable[[], None]) -> Connection:
        try:
            return Connection(folder, check)
        except OSError:
            failures.append(folder)
            if len(failures) == 1:
                then()
            raise

    failures: list[Folder] = []
    monkeypatch.setattr(remote_command, "Connection", connect)


def test_a_trainer_that_still_prepares_is_waited_for(
    run: RunDirectory, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = live(scripted.running(), listens=False)
    at_the_first_failure(monkeypatch, session.listen_to_others)
    assert asked(run, Stop()).done
    assert session.commands == [Stop(COMMAND_LINE)]


def test_a_trainer_that_prepares_for_too_long_was_told_nothing(run: RunDirectory, live: Live) -> None:
    session = live(scripted.loading(), listens=False)
    answer = asked(run, Stop(), seconds=0)
    assert not answer.done and answer.text.endswith("and nothing was sent")
    assert session.commands == []


def test_a_trainer_that_ends_before_it_listens(run: RunDirectory, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    session = live(scripted.loading(), listens=False)
    write_journal(run.path, scripted.RUN, StateChanged(state="stopped", step=7))
    at_the_first_failure(monkeypatch, session.end)
    answer = asked(run, Stop())
    assert answer.done and answer.text.startswith("is stopped at step")


def test_an_answer_that_does_not_come_in_time(run: RunDirectory, live: Live) -> None:
    session = live(scripted.running())
    seconds = [0.0]
    session.reacts = lambda session, command: seconds.append(61.0)
    answer = RemoteCommand(run, Pause(), 60.0, clock=lambda: seconds[-1]).execute()
    assert not answer.done and "the command was sent and still stands" in answer.text
    assert session.commands == [Pause(COMMAND_LINE)]


def test_a_suspended_trainer_is_said_to_be_so_and_told_nothing(
    run: RunDirectory, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = live(scripted.running())
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = psutil.Process(sleeper.pid)
    process.suspend()
    until(lambda: process.status() == psutil.STATUS_STOPPED)
    monkeypatch.setattr(remote_command, "trainer_pid", lambda run: sleeper.pid)
    answer = asked(run, Stop())
    process.kill()
    sleeper.communicate()
    assert not answer.done and f"is suspended (pid {sleeper.pid})" in answer.text and "nothing was sent" in answer.text
    assert session.commands == []


def test_when_too_many_ask_that_is_said(run: RunDirectory, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_OTHERS", 0)
    live(scripted.running())
    answer = asked(run, Pause())
    assert not answer.done and "does not take it: 0 others ask something" in answer.text


def test_what_the_trainer_says_cannot_move_the_cursor(run: RunDirectory, live: Live) -> None:
    def hostile(session: LiveRun, command: Command) -> None:
        session.applied(command)
        session.publish(Alert(kind="checkpoint", severity="error", message="No room\x1b[2J\nat all."))

    live(scripted.running()).reacts = hostile
    answer = asked(run, SaveCheckpoint())
    assert answer.line == "cats is running as before. No room\u241b[2J\u23ceat all"


def test_a_greeting_that_cannot_be_understood_is_an_answer(run: RunDirectory) -> None:
    with held(run), run.open() as folder, bind(folder) as listener:
        answers = send_to_runs([run], Stop(), TIMEOUT)
        asking = threading.Thread(target=lambda: told.extend(answers), daemon=True)
        told: list[CommandResult] = []
        asking.start()
        stranger, _ = listener.accept()
        with stranger:
            stranger.sendall(b'{"waiting": "x"}\n')
            asking.join(TIMEOUT)
        unbind(folder)
    assert [answer.done for answer in told] == [False] and "does not speak this protocol" in told[0].text


@pytest.fixture
def several(tmp_path: Path) -> Iterator[list[LiveRun]]:
    begun = []
    for name in ("cats", "dogs", "owls"):
        (tmp_path / name).mkdir()
        begun.append(LiveRun(RunDirectory(tmp_path / name), scripted.running(3)))
        begun[-1].listen_to_others()
    yield begun
    for each in begun:
        each.end()


def test_several_are_asked_at_once(several: list[LiveRun]) -> None:
    answers = list(send_to_runs([session.directory for session in several], Stop(), TIMEOUT))
    assert {answer.run.name for answer in answers if answer.done} == {"cats", "dogs", "owls"}


def test_a_failure_of_ours_is_raised_once_the_others_have_answered(
    several: list[LiveRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = RemoteCommand.execute

    def fail_for_dogs(remote: RemoteCommand) -> CommandResult:
        if remote._run.name == "dogs":
            raise ZeroDivisionError
        return execute(remote)

    monkeypatch.setattr(RemoteCommand, "execute", fail_for_dogs)
    answers = send_to_runs([session.directory for session in several], Stop(), TIMEOUT)
    assert {next(answers).run.name, next(answers).run.name} == {"cats", "owls"}
    with pytest.raises(ZeroDivisionError):
        next(answers)
