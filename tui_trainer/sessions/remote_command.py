"""Sends one command to a live run, and waits for its result: stop, pause, save and resume."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from tui_trainer.config import InputError
from tui_trainer.run import events
from tui_trainer.run.alerts import AlertKind, Severity
from tui_trainer.run.commands import Command, Pause, Resume, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED, Alert, CheckpointSaved, CommandApplied, Event, StateChanged
from tui_trainer.run.lock import is_locked, trainer_pid
from tui_trainer.run.pointers import latest
from tui_trainer.run.text import human_seconds, visible_line
from tui_trainer.sessions.control.client import Connection, Greeting
from tui_trainer.sessions.overview import overview
from tui_trainer.sessions.presence import is_suspended

Clock = Callable[[], float]
"""Returns seconds since any fixed time, as time.monotonic does."""

RETRY_SECONDS: Final = 0.1

WANTED: Final[dict[type[Command], str]] = {Pause: "paused", Resume: "running"}
"""The state that a command is to bring about."""


@dataclass(frozen=True)
class CommandResult:
    """The result of a command; `text` is a sentence without the run's name at its beginning, and its full stop.

    A text may come from the trainer, or name a path: `line` and `json` make it fit for a terminal.
    """

    run: RunDirectory
    command: Command
    done: bool
    text: str
    state: str
    step: int
    pid: int | None
    checkpoint: str = ""
    """Where the weights of that step are saved, if they are."""

    @property
    def line(self) -> str:
        return visible_line(f"{self.run.name} {self.text}")

    def json(self) -> str:
        result: dict[str, Any] = {
            "run": self.run.name,
            "path": str(self.run.path),
            "command": self.command.name,
            "done": self.done,
        }
        result |= {"state": self.state, "step": self.step, "pid": self.pid, "checkpoint": self.checkpoint or None}
        return json.dumps({**result, "message": self.line})


class _NoResult(Exception):
    """Says why there is no result."""


def send_to_runs(runs: Sequence[RunDirectory], command: Command, seconds: float) -> Iterator[CommandResult]:
    """Send the same command to several live runs at once, and give each result as it comes.

    What goes wrong with one of them is raised once the others have a result.
    """
    results: SimpleQueue[CommandResult | Exception] = SimpleQueue()

    def put_result(remote: RemoteCommand) -> None:
        try:
            results.put(remote.execute())
        except Exception as error:
            results.put(error)

    for run in runs:
        # Daemons, as whoever waits may be interrupted.
        remote = RemoteCommand(run, command, seconds)
        threading.Thread(target=put_result, args=[remote], name="remote command", daemon=True).start()
    failures = []
    for _ in runs:
        result = results.get()
        if isinstance(result, Exception):
            failures.append(result)
        else:
            yield result
    if failures:
        raise failures[0]


class RemoteCommand:
    """One command to one run, which has to be live."""

    def __init__(self, run: RunDirectory, command: Command, seconds: float, clock: Clock = time.monotonic) -> None:
        """`seconds`: how long to wait for a result, by `clock`."""
        self._run, self._command, self._seconds = run, command, seconds
        self._clock, self._deadline = clock, clock() + seconds
        self._pid = trainer_pid(run)
        self._sent = False
        self._state, self._step = "loading", 0
        self._saved: CheckpointSaved | None = None

    def execute(self) -> CommandResult:
        """Send the command and wait; never raises for what the run or its trainer does."""
        try:
            with self._connect() as connection:
                greeting = connection.greet()
                self._state, self._step = greeting.state or self._state, greeting.step
                self._pid = self._pid or greeting.pid
                if (result := self._immediate_result(greeting)) is not None:
                    return result
                with suppress(OSError):  # it is hanging up: its end is the result
                    connection.send(self._command)
                    self._sent = True
                if (result := self._await_result(connection.events())) is not None:
                    return result
            while is_locked(self._run):
                self._check()
                time.sleep(RETRY_SECONDS)
        except _NoResult as reason:
            return self._result(False, str(reason))
        except InputError as refusal:
            return self._result(False, f"does not take it: {str(refusal).rstrip('.')}")
        except ConnectionAbortedError:  # it ended before it listened
            pass
        return self._result_after_end()

    # -- before the command -----------------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        """Raises ConnectionAbortedError when the trainer ends first."""
        while True:
            self._check()
            try:
                with self._run.open() as folder:
                    return Connection(folder, self._check)
            except OSError as error:
                if not is_locked(self._run):
                    raise ConnectionAbortedError from error
            time.sleep(RETRY_SECONDS)

    def _check(self) -> None:
        """Give up on a trainer that is suspended, or when the time is over."""
        if self._pid is not None and is_suspended(self._pid):
            again = f"fg in its shell, or kill -CONT {self._pid}, lets it go on"
            outcome = "it will obey then" if self._sent else "nothing was sent"
            raise _NoResult(f"is suspended (pid {self._pid}): {again}; {outcome}")
        if self._clock() > self._deadline:
            waited = f"within {human_seconds(self._seconds)}"
            if self._sent:
                raise _NoResult(f"has not answered {waited}; the command was sent and still stands")
            raise _NoResult(f"has not been ready to take commands {waited}, and nothing was sent")

    def _immediate_result(self, greeting: Greeting) -> CommandResult | None:
        """The result for a run that already is what is wanted, or cannot become it."""
        if greeting.state and greeting.state == WANTED.get(type(self._command)):
            return self._result(True, f"is {greeting.state} already, at step {self._step:,}")
        ended = ("failed",) if isinstance(self._command, SaveCheckpoint) else ENDED
        if greeting.state in ended and not isinstance(self._command, Stop):
            return self._result(False, f"has {greeting.state}, at step {self._step:,}; its screen is still open")
        return None

    # -- after it ---------------------------------------------------------------------------------------------------

    def _await_result(self, events: Iterable[Event]) -> CommandResult | None:
        """The result among the events; None when the trainer hangs up first."""
        applied = False
        for event in events:
            self._update(event)
            if isinstance(event, Alert) and event.kind == AlertKind.CONTROL:
                return self._result(False, f"does not take it: {event.message.rstrip('.')}")
            applied = applied or (isinstance(event, CommandApplied) and event.name == self._command.name)
            if applied and (result := self._result_of(event)) is not None:
                return result
        return None

    def _update(self, event: Event) -> None:
        self._step = max(self._step, event.step)
        if isinstance(event, StateChanged):
            self._state = event.state
        if isinstance(event, CheckpointSaved):
            self._saved = event

    def _result_of(self, event: Event) -> CommandResult | None:
        """What an event says of the command, which has been applied by now."""
        match self._command, event:
            case Stop(), Alert(kind=AlertKind.STOP):
                now = "is paused instead" if self._state == "running" else f"stays {self._state}"
                return self._result(False, f"{now}. {event.message.rstrip('.')}")
            case SaveCheckpoint(), Alert(kind=AlertKind.CHECKPOINT, severity=Severity.ERROR):
                return self._result(False, f"is {self._state} as before. {event.message.rstrip('.')}")
            case SaveCheckpoint(), CheckpointSaved(reason=events.ON_REQUEST):
                place = self._place(event)
                return self._result(True, f"is saved at step {event.step:,} in {place}", place)
            case ((Pause() | Resume()), _) if self._state == WANTED[type(self._command)]:
                return self._result(True, f"is {self._state} at step {self._step:,}")
            case ((Pause() | Resume()), _) if self._state in ENDED:
                return self._result(False, f"has {self._state} first, at step {self._step:,}")
        return None

    def _result_after_end(self) -> CommandResult:
        """The result once the trainer has released its lock."""
        if self._state not in ENDED:
            with suppress(InputError):
                found = overview(self._run)
                self._state, self._step = found.state, max(self._step, found.step)
        where = f"is {self._state} at step {self._step:,}"
        if self._state == "dead":
            return self._result(False, "has vanished: resume goes on from the newest checkpoint")
        if not isinstance(self._command, Stop):
            return self._result(False, f"has ended first: it {where}")
        if not self._command.value:
            return self._result(True, f"{where}, without saving")
        if self._state == "failed":
            return self._result(False, f"is over, but had failed at step {self._step:,}")
        place = self._last_checkpoint()
        if not place and not self._step:
            return self._result(True, f"{where}, with nothing to save")
        if not place:  # of two stops at the same time the other was applied, which was not to save
            return self._result(False, f"{where}, but that step is not saved: another command ended it first")
        return self._result(True, f"{where}, and saved in {place}", place)

    def _place(self, saved: CheckpointSaved) -> str:
        """A checkpoint's path as seen from here: the trainer's working directory may be another."""
        return str(self._run.checkpoints / Path(saved.path).name)

    def _last_checkpoint(self) -> str:
        """The path of the checkpoint of the run's last step; empty where there is none."""
        if self._saved is not None and self._saved.step == self._step:
            return self._place(self._saved)
        with suppress(OSError), self._run.open() as folder:
            newest = latest(folder)
            if newest is not None and newest.step == self._step:
                return str(self._run.checkpoints / newest.name)
        return ""

    def _result(self, done: bool, text: str, checkpoint: str = "") -> CommandResult:
        return CommandResult(self._run, self._command, done, text, self._state, self._step, self._pid, checkpoint)
