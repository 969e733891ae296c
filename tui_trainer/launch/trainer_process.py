"""The process that trains: with a screen until that is closed or lost, then headless; and its signal handlers."""

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
from tui_trainer.ui.settings import ScreenSettings

if TYPE_CHECKING:
    from tui_trainer.training.local import LocalSession

REPEAT_SECONDS: Final = 0.2
"""Seconds within which two interrupts count as one."""

HANDLED: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)


class TrainerProcess:
    """Runs a local session with the screen or headless, and handles the signals in HANDLED."""

    def __init__(self, session: "LocalSession") -> None:
        self._session = session
        self._terminal = Terminal()
        self._on_screen = False
        self._on_terminal_lost: Callable[[], None] = lambda: None
        self._interrupted_at = -math.inf
        self.ended_by: int | None = None
        """The signal that ended the run, if one did."""

    def run_on_screen(self, screen: ScreenSettings) -> None:
        self._terminal.fork(self._describe_kill)
        from tui_trainer.ui.app import TrainerApp

        app = TrainerApp(self._session, self._session.label, screen)
        self._on_terminal_lost = app.leave
        tolerate_lost_terminal(app.leave)
        self._install_handlers(*HANDLED, PROXY_KILLED)
        self._session.send(Attach())
        self._on_screen = True
        app.run()
        self._on_screen = False
        for number in (signal.SIGTSTP, signal.SIGCONT):
            signal.signal(number, signal.SIG_DFL)  # Textual's handlers would show its screen again
        if app.at_once:
            self._print_what_is_saved()
            end_at_once(SIGNALLED + signal.SIGINT)
        if self._session.outcome is None and not self._terminal.proxy_killed:
            self._continue_without_screen("keyboard" if app.detached else "terminal")

    def run_headless(self) -> None:
        self._on_terminal_lost = self._detach_from_terminal
        self._install_handlers(*HANDLED)
        if sys.stdout.isatty():
            self._session.send(Attach("terminal"))
        self._print()

    def _detach_from_terminal(self) -> None:
        self._on_terminal_lost = lambda: None
        self._session.send(Detach("terminal"))
        self._terminal.detach(self._session.open_log)

    def _continue_without_screen(self, source: str) -> None:
        """Continue headless after the app has exited and the run has not ended; `source` is journalled."""
        self._on_terminal_lost = lambda: None
        self._session.send(Detach(source))
        say(left_alive(self._session.directory, self._session.snapshot().state), sys.stdout)
        self._terminal.detach(self._session.open_log)
        self._print()

    def _print(self) -> None:
        from tui_trainer.headless import Headless

        Headless(self._session, started=lambda: self._terminal.redirect_to_log(self._session.open_log)).run()

    def _describe_kill(self, trainer: int, number: int) -> str:
        """What the proxy process prints when a signal has killed the trainer with this process id."""
        killed = f"The trainer was killed ({_signal_name(number)})."
        # The lock file of a run that has ended still holds its trainer's id, which may have been reused for this one.
        trained = []
        with suppress(InputError):  # the runs directory cannot be read
            trained = [run for run in known_runs(self._session.root) if last_trainer_pid(run) == trainer]
        run = max(trained, key=last_change, default=self._session.directory)
        if run is None or not run.has_checkpoint():
            return f"{killed} It had saved no checkpoint."
        return f"{killed} Go on from the newest checkpoint of {visible_line(run.name)} with:\n  {resume_command(run)}"

    def _install_handlers(self, *numbers: signal.Signals) -> None:
        """Handle signals, but for those that the parent process had set to be ignored (nohup, a background job)."""
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if number == PROXY_KILLED or (number == signal.SIGHUP and self._terminal.proxy_killed):
            self._stop_without_proxy()  # a stopped job gets both signals, in either order
        elif number == signal.SIGHUP:
            self._on_terminal_lost()
        elif number == signal.SIGUSR1:
            self._session.send(SaveCheckpoint(name))
        elif number == signal.SIGINT and self.ended_by is not None:
            self._interrupt_again()
        else:
            self._interrupted_at = time.monotonic()
            self.ended_by = number
            self._session.send(Stop(name))

    def _interrupt_again(self) -> None:
        """End at once on a second interrupt; ctrl+c sends one to the whole job, and the proxy forwards another."""
        if time.monotonic() - self._interrupted_at > REPEAT_SECONDS:
            if self._on_screen:
                self._terminal.leave_screen()
            self._print_what_is_saved()
            end_at_once(SIGNALLED + signal.SIGINT)

    def _print_what_is_saved(self) -> None:
        """Print what the run has saved. Takes no lock: in a signal handler this thread may hold the session's."""
        with suppress(RuntimeError):  # the signal interrupted a write
            say(left_as_saved(self._session.directory, self._session.label), sys.stdout)

    def _stop_without_proxy(self) -> None:
        """Save and stop after the proxy process was killed: the shell has taken the terminal back."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else this process would be stopped when it leaves the screen
        self._session.send(Stop("parent's end"))
        self._on_terminal_lost()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
