"""Which front end a session gets, what signals do meanwhile, and what is left on the terminal at the end."""

import math
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NoReturn

import psutil

from tui_trainer.config import InputError
from tui_trainer.launch.terminal import PROXY_KILLED, Terminal
from tui_trainer.run.advice import resume_command
from tui_trainer.run.commands import Attach, Detach, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED
from tui_trainer.run.finding import known_runs, last_change
from tui_trainer.run.lock import last_trainer_pid
from tui_trainer.run.printing import say
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.base import Session
from tui_trainer.state.summary import left_alive, left_as_saved, summary

if TYPE_CHECKING:
    from tui_trainer.training.local import LocalSession

FAILED: Final = 1
BAD_INPUT: Final = 2
SIGNALLED: Final = 128

TOGETHER_SECONDS: Final = 0.2
"""Within which signals are taken for one."""

HANDLED: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)


def train(session: "LocalSession", headless: bool) -> int:
    """Run a session behind the front end that fits; its exit status."""
    headless = headless or not (sys.stdout.isatty() and sys.stderr.isatty())
    if not headless:
        _read_keys_from_terminal()
    trainer = TrainerProcess(session)
    if headless:
        trainer.run_headless()
    else:
        trainer.run_on_screen()
    status = _print_outcome(session, trainer.ended_by)
    if session.given_up or not headless or trainer.ended_by is not None:
        _end_at_once(status)  # who has left is not to wait while the interpreter tidies up, which takes seconds
    return status


def view(session: Session, title: str) -> int:
    """Show a session whose run does not depend on it; its exit status."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("There is no terminal to show the run on: status tells of it in a line.")
    from tui_trainer.ui.app import TrainerApp

    app = TrainerApp(session, title)
    _tolerate_lost_terminal(app.leave)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, frame: app.leave())
    app.run()
    session.leave()
    session.wait()
    outcome = session.outcome
    if outcome is None:
        return FAILED
    if outcome.error:
        raise InputError(outcome.error)
    if session.snapshot().state in ENDED:
        say(_summary_of(session), sys.stdout)
    else:
        place = session.place
        say(left_alive(RunDirectory(place) if place else None, session.snapshot().state), sys.stdout)
    return outcome.status


class TrainerProcess:
    """A process that trains: on a screen while it has one, and without when that is gone."""

    def __init__(self, session: "LocalSession") -> None:
        self._session = session
        self._terminal = Terminal()
        self._on_screen = False
        self._on_lost: Callable[[], None] = lambda: None
        self._interrupted_at = -math.inf
        self.ended_by: int | None = None
        """The signal that ended the run, if one did."""

    def run_on_screen(self) -> None:
        self._terminal.fork(self._describe_kill)
        from tui_trainer.ui.app import TrainerApp

        app = TrainerApp(self._session, self._session.label)
        self._on_lost = app.leave
        _tolerate_lost_terminal(app.leave)
        self._install_handlers(*HANDLED, PROXY_KILLED)
        self._session.send(Attach())
        self._on_screen = True
        app.run()
        self._on_screen = False
        for number in (signal.SIGTSTP, signal.SIGCONT):
            signal.signal(number, signal.SIG_DFL)  # Textual would bring its screen back
        if app.at_once:
            self._tell_what_is_saved()
            _end_at_once(SIGNALLED + signal.SIGINT)
        if self._session.outcome is None and not self._terminal.proxy_killed:
            self._continue_without_screen("keyboard" if app.detached else "terminal")

    def run_headless(self) -> None:
        self._on_lost = self._lose_terminal
        self._install_handlers(*HANDLED)
        if sys.stdout.isatty():
            self._session.send(Attach("terminal"))
        self._print()

    def _lose_terminal(self) -> None:
        self._on_lost = lambda: None
        self._session.send(Detach("terminal"))
        self._terminal.leave(self._session.open_log)

    def _continue_without_screen(self, source: str) -> None:
        """The screen has ended, the run has not."""
        self._on_lost = lambda: None
        self._session.send(Detach(source))
        say(left_alive(self._session.directory, self._session.snapshot().state), sys.stdout)
        self._terminal.leave(self._session.open_log)
        self._print()

    def _print(self) -> None:
        from tui_trainer.headless import Headless

        Headless(self._session, started=lambda: self._terminal.log_in(self._session.open_log)).run()

    def _describe_kill(self, trainer: int, number: int) -> str:
        """Said by the process that stands in for the trainer, when that was killed."""
        killed = f"The trainer was killed ({_signal_name(number)})."
        # A run that is over still tells the id of its trainer, which may since have been given to this one.
        trained = []
        with suppress(InputError):  # the directory that runs are kept in cannot be read
            trained = [run for run in known_runs(self._session.root) if last_trainer_pid(run) == trainer]
        run = max(trained, key=last_change, default=self._session.directory)
        if run is None or not run.has_checkpoint():
            return f"{killed} It had saved no checkpoint."
        return f"{killed} Go on from the newest checkpoint of {visible_line(run.name)} with:\n  {resume_command(run)}"

    def _install_handlers(self, *numbers: signal.Signals) -> None:
        """What the parent told the process to ignore (nohup, a job in the background) stays ignored."""
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if number == PROXY_KILLED or (number == signal.SIGHUP and self._terminal.proxy_killed):
            self._stop_without_proxy()  # a job that was stopped gets both, in either order
        elif number == signal.SIGHUP:
            self._on_lost()
        elif number == signal.SIGUSR1:
            self._session.send(SaveCheckpoint(name))
        elif number == signal.SIGINT and self.ended_by is not None:
            self._interrupt_again()
        else:
            self._interrupted_at = time.monotonic()
            self.ended_by = number
            self._session.send(Stop(name))

    def _interrupt_again(self) -> None:
        """A key's signal goes to the whole job, which may pass it on besides: that is no second one."""
        if time.monotonic() - self._interrupted_at > TOGETHER_SECONDS:
            if self._on_screen:
                self._terminal.leave_screen()
            self._tell_what_is_saved()
            _end_at_once(SIGNALLED + signal.SIGINT)

    def _tell_what_is_saved(self) -> None:
        """Also in a signal's handler, so without the session's lock, which this thread may hold."""
        with suppress(RuntimeError):  # it came amid a write
            say(left_as_saved(self._session.directory, self._session.label), sys.stdout)

    def _stop_without_proxy(self) -> None:
        """The shell's part of this job was killed, so the shell has its terminal back: let it alone, save and stop."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # not to be stopped for leaving the screen
        self._session.send(Stop("parent's end"))
        self._on_lost()


def _end_at_once(status: int) -> NoReturn:
    """Wait for no thread: whatever is on the disk is whole at any moment. Compilers and their like end too."""
    with suppress(OSError, RuntimeError):  # a signal may have come amid a write
        sys.stdout.flush()
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    os._exit(status)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class TolerantStream:
    """A stream that outlives its terminal: what can no longer be written is dropped, and that is told once."""

    def __init__(self, stream: Any, lost: Callable[[], None]) -> None:
        self._stream, self._lost = stream, lost
        self._told = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except OSError:
            if not self._told:
                self._told = True
                self._lost()


def _tolerate_lost_terminal(lost: Callable[[], None]) -> None:
    # Textual writes there; a write that fails would stop its writer, and with it the way out.
    sys.__stderr__ = TolerantStream(sys.__stderr__, lost)  # type: ignore[misc, assignment]


def _read_keys_from_terminal() -> None:
    """When the corpus came through standard input, give the keyboard back to it."""
    if not os.isatty(0):
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError as error:
            raise InputError("There is no terminal to read keys from: use --headless.") from error
        os.dup2(terminal, 0)
        os.close(terminal)


def _print_outcome(session: "LocalSession", ended_by: int | None) -> int:
    """Say on the normal screen what came of the run; its exit status."""
    session.wait()
    outcome = session.outcome
    if outcome is None:
        return FAILED
    if outcome.error and outcome.status == BAD_INPUT:
        raise InputError(outcome.error)
    if session.snapshot().state == "loading" and not outcome.error:
        say(left_as_saved(session.directory, session.label), sys.stdout)
    else:
        say(_summary_of(session) or outcome.error, sys.stdout)
    say(outcome.warning, sys.stdout)
    if outcome.status == 0 and ended_by == signal.SIGTERM:
        return SIGNALLED + signal.SIGTERM
    return outcome.status


def _summary_of(session: Session) -> str:
    text = summary(session.snapshot(), session.compared_samples(), session.place)
    return f"\n{text}" if text else ""
