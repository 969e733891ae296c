"""A process that trains: on a screen while it has one, and without when that is gone; what signals do to it."""

import math
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

from tui_trainer.config import InputError
from tui_trainer.launch.exits import SIGNALLED, end_at_once
from tui_trainer.launch.streams import tolerate_lost_terminal
from tui_trainer.launch.terminal import PROXY_KILLED, Terminal
from tui_trainer.run.advice import resume_command
from tui_trainer.run.commands import Attach, Detach, SaveCheckpoint, Stop
from tui_trainer.run.finding import known_runs, last_change
from tui_trainer.run.lock import last_trainer_pid
from tui_trainer.run.printing import say
from tui_trainer.run.text import visible_line
from tui_trainer.state.summary import left_alive, left_as_saved

if TYPE_CHECKING:
    from tui_trainer.training.local import LocalSession

TOGETHER_SECONDS: Final = 0.2
"""Within which signals are taken for one."""

HANDLED: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)


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
        tolerate_lost_terminal(app.leave)
        self._install_handlers(*HANDLED, PROXY_KILLED)
        self._session.send(Attach())
        self._on_screen = True
        app.run()
        self._on_screen = False
        for number in (signal.SIGTSTP, signal.SIGCONT):
            signal.signal(number, signal.SIG_DFL)  # Textual would bring its screen back
        if app.at_once:
            self._tell_what_is_saved()
            end_at_once(SIGNALLED + signal.SIGINT)
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
            end_at_once(SIGNALLED + signal.SIGINT)

    def _tell_what_is_saved(self) -> None:
        """Also in a signal's handler, so without the session's lock, which this thread may hold."""
        with suppress(RuntimeError):  # it came amid a write
            say(left_as_saved(self._session.directory, self._session.label), sys.stdout)

    def _stop_without_proxy(self) -> None:
        """The shell's part of this job was killed, so the shell has its terminal back: let it alone, save and stop."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # not to be stopped for leaving the screen
        self._session.send(Stop("parent's end"))
        self._on_lost()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
