"""The attached session: a run that is alive in another process, seen and steered through its control socket."""

import threading
import time
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run import journal
from tui_trainer.run.commands import Attach, Command, Stop
from tui_trainer.run.control.client import REFUSED, Connection, Greeting
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED, Alert, Event, RunStarted, StateChanged
from tui_trainer.run.lock import folder_is_locked
from tui_trainer.run.session import Outcome, Session
from tui_trainer.run.text import visible_line

RETRY_SECONDS: Final = 0.5

STARTING_SECONDS: Final = 60.0
"""How long a trainer that holds the run may take to listen."""

VANISHED: Final = "The trainer's process has vanished: resume goes on from the newest checkpoint."


class AttachedSession(Session):
    """Shows a live run, its past from the journal; ends when it is left, or when the stop it asked for is done."""

    returning = True

    def __init__(self, directory: RunDirectory) -> None:
        """Raises InputError when nobody trains the run."""
        super().__init__()
        self.label = directory.name
        name = visible_line(directory.name)
        try:
            self._folder = directory.open()
        except OSError as error:
            raise InputError(f"The run {name} cannot be looked at: {error.strerror}.") from error
        self._connection: Connection | None = None
        self._leaving = threading.Event()
        self._stop: Stop | None = None
        if not folder_is_locked(self._folder):
            self._folder.close()
            raise InputError(f"The run {name} is not being trained: look at it with replay, or go on with resume.")

    @property
    def place(self) -> Path:
        return self._folder.path

    def send(self, command: Command) -> None:
        connection = self._connection
        with suppress(OSError):
            if connection is not None:
                connection.send(command)
        if isinstance(command, Stop):
            self._stop = command
            if self.refusal:
                self.leave()

    def leave(self) -> None:
        self._leaving.set()
        connection = self._connection
        if connection is not None:
            connection.hang_up()

    def run(self) -> None:
        try:
            self.outcome = self._run()
        except Exception as error:
            self.outcome = Outcome(1, f"{type(error).__name__}: {error}.")
        finally:
            self._folder.close()

    def _run(self) -> Outcome:
        while not self._leaving.is_set():
            try:
                self._follow()
            except InputError as error:
                return Outcome(2, str(error))
            if not folder_is_locked(self._folder):
                self._end()
                break
            # The trainer sends a viewer away that cannot keep up: what it missed is in the journal.
        return Outcome()

    def _end(self) -> None:
        """The trainer has ended: stay until left, unless it did as it was told."""
        if self.snapshot().state not in ENDED:
            self.publish(StateChanged(step=self.snapshot().step, state="failed", reason=VANISHED))
        self.refusal = "The trainer has ended: q leaves."
        if self._stop is None:
            self._leaving.wait()

    def _follow(self) -> None:
        """Take in the run's past, then what happens, until the trainer hangs up or this session is left."""
        connection = self._connect()
        if connection is None:
            return
        with connection:
            if self._leaving.is_set():  # before there was a connection to shut down
                return
            greeting = connection.greet()
            self.send(Attach())
            self._recall(greeting)
            if self._stop is not None:  # asked for while there was no connection
                self.send(self._stop)
            for event in connection.events():
                self._take(event)
        self._connection = None

    def _connect(self) -> Connection | None:
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._leaving.is_set():
            try:
                self._connection = Connection(self._folder)
                return self._connection
            except OSError as error:
                if not folder_is_locked(self._folder):
                    return None
                if time.monotonic() > deadline:
                    raise InputError(f"The trainer of {self.label} does not answer ({error.strerror}).") from error
            self._leaving.wait(RETRY_SECONDS)
        return None

    def _recall(self, greeting: Greeting) -> None:
        """Take in the journal's part of the past, and what waits to be written there; raises InputError."""
        size, events = greeting.journal, greeting.past
        started = [event.step for event in events if isinstance(event, RunStarted)]
        path = self._folder.path / journal.JOURNAL
        written = journal.effective(path, size, min(started, default=None)) if size else ()
        try:
            if size or events:
                self.recall(chain(written, events))
        except OSError as error:
            raise InputError(f"The journal of {self.label} cannot be read: {error.strerror}.") from error

    def _take(self, event: Event) -> None:
        if isinstance(event, Alert) and event.kind == "stop":
            self._stop = None  # it could not be obeyed
        if isinstance(event, Alert) and event.kind == REFUSED:
            event = replace(event, step=self.snapshot().step)
        self.publish(event)
