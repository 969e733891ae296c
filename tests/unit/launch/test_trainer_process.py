"""The signal handlers of a headless trainer, and the message about a killed one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from tests.unit.run.journals import write_journal
from tests.unit.state.folded import state, step
from tests.unit.test_headless import EventSession
from tests.waiting import until
from tui_trainer.launch import trainer_process
from tui_trainer.launch.terminal import Terminal
from tui_trainer.launch.trainer_process import HANDLED, TrainerProcess
from tui_trainer.run.commands import Detach, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Event
from tui_trainer.run.lock import RunLock
from tui_trainer.sessions.attendance import Attendance
from tui_trainer.sessions.base import Outcome
from tui_trainer.training.local import LocalSession


@pytest.fixture(autouse=True)
def restored_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in HANDLED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Signalled(EventSession):
    """Raises signals at its first event, and ends when it is sent Stop, or with `ends` after its events."""

    def __init__(self, *numbers: signal.Signals, ends: bool = False) -> None:
        super().__init__(step(1), *[state("finished", 1.0)] * ends)
        self.numbers = numbers
        self.attendance = Attendance()
        self.directory, self.label = None, "woods"

    def publish(self, event: Event) -> None:
        super().publish(event)
        if event.step == 1:
            for before, number in enumerate(self.numbers):
                if before:  # else two pending signals with one number would be one
                    until(lambda: self.commands, "what the first signal asks for")
                os.kill(os.getpid(), number)

    def open_log(self) -> BinaryIO:
        raise FileNotFoundError


def headless(session: EventSession) -> TrainerProcess:
    process = TrainerProcess(cast(LocalSession, session))
    process.run_headless()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_stops(number: signal.Signals) -> None:
    session = Signalled(number)
    assert headless(session).ended_by == number
    assert session.commands == [Stop(value=True, source=number.name)]


def test_two_interrupts_at_once_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_process, "REPEAT_SECONDS", 60.0)
    session = Signalled(signal.SIGINT, signal.SIGINT)
    assert headless(session).ended_by == signal.SIGINT
    assert session.commands == [Stop(value=True, source="SIGINT")]


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_stopping_ends_the_process_at_once(
    first: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses: list[int] = []
    monkeypatch.setattr(trainer_process, "REPEAT_SECONDS", -1.0)
    monkeypatch.setattr(trainer_process, "end_at_once", statuses.append)
    session = Signalled(first, signal.SIGINT)
    headless(session)
    assert statuses == [130]
    assert "woods: nothing was trained." in capsys.readouterr().out.splitlines()
    assert session.commands == [Stop(value=True, source=first.name)]


def test_sigusr1_saves_a_checkpoint() -> None:
    session = Signalled(signal.SIGUSR1, ends=True)
    assert headless(session).ended_by is None
    assert session.commands[0] == SaveCheckpoint("SIGUSR1")
    assert session.outcome == Outcome()


def test_sighup_detaches_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detached: list[object] = []
    monkeypatch.setattr(Terminal, "detach", lambda self, log: detached.append(log))
    session = Signalled(signal.SIGHUP, signal.SIGHUP, ends=True)
    headless(session)
    assert session.commands[0] == Detach("terminal")
    assert Detach("terminal") not in session.commands[1:]
    assert detached == [session.open_log]


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    session = Signalled(signal.SIGHUP, ends=True)
    headless(session)
    assert session.commands == [Stop(value=False, source="headless")]


def test_with_a_reused_process_id_the_run_that_changed_last_is_named(tmp_path: Path) -> None:
    for name, changed in (("ants", 1e9), ("bees", 1.1e9), ("cats", 1e9)):
        run = RunDirectory(tmp_path / name)
        run.checkpoints.mkdir(parents=True)
        run.config.touch()
        (run.checkpoints / "latest").write_text("step-00000001")
        with run.open() as folder, RunLock(folder):
            write_journal(run.path, step(1))
        os.utime(run.journal, (changed, changed))
    session = EventSession()
    session.root, session.directory = tmp_path, None  # type: ignore[attr-defined]
    message = TrainerProcess(cast(LocalSession, session))._describe_kill(os.getpid(), signal.SIGKILL)
    assert "newest checkpoint of bees with:\n  " in message
    assert message.endswith(f" resume {tmp_path / 'bees'}")
