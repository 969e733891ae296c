"""The attached session: a run that is alive in another process, seen and steered through its control socket."""

import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run import journal
from tui_trainer.run.commands import Command, Stop
from tui_trainer.run.control.address import connect
from tui_trainer.run.control.protocol import encode_command
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED, Alert, RunStarted, StateChanged
from tui_trainer.run.lines import decode
from tui_trainer.run.lock import is_locked
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
        self.directory = directory
        self.label = directory.name
        self._connection: socket.socket | None = None
        self._leaving = threading.Event()
        self._stop: Stop | None = None
        if not is_locked(directory):
            name = visible_line(directory.name)
            raise InputError(f"The run {name} is not being trained: look at it with replay, or go on with resume.")

    def send(self, command: Command) -> None:
        connection = self._connection
        with suppress(OSError):
            if connection is not None:
                connection.sendall(encode_command(command))
        if isinstance(command, Stop):
            self._stop = command
            if self.refusal:
                self.leave()

    def leave(self) -> None:
        self._leaving.set()
        connection = self._connection
        with suppress(OSError):
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        try:
            self.outcome = self._run()
        except Exception as error:
            self.outcome = Outcome(1, f"{type(error).__name__}: {error}.")

    def _run(self) -> Outcome:
        while not self._leaving.is_set():
            try:
                self._follow()
            except InputError as error:
                return Outcome(2, str(error))
            if not is_locked(self.directory):
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
            lines = self._lines(connection)
            greeting = json.loads(next(lines, b"{}"))
            if "refused" in greeting:
                raise InputError(greeting["refused"])
            self._recall(greeting.get("journal", 0), islice(lines, greeting.get("waiting", 0)))
            if self._stop is not None:  # asked for while there was no connection
                self.send(self._stop)
            for line in lines:
                self._take(line)
        self._connection = None

    def _connect(self) -> socket.socket | None:
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._leaving.is_set():
            try:
                self._connection = connect(self.directory.control)
                return self._connection
            except OSError as error:
                if not is_locked(self.directory):
                    return None
                if time.monotonic() > deadline:
                    raise InputError(f"The trainer of {self.label} does not answer ({error.strerror}).") from error
            self._leaving.wait(RETRY_SECONDS)
        return None

    def _recall(self, size: int, waiting: Iterable[bytes]) -> None:
        """Take in the journal's first `size` bytes, and what waits to be written there; raises InputError."""
        events = [event for line in waiting if (event := decode(line)) is not None]
        started = [event.step for event in events if isinstance(event, RunStarted)]
        written = journal.effective(self.directory.journal, size, min(started, default=None)) if size else ()
        try:
            if size or events:
                self.recall(chain(written, events))
        except OSError as error:
            raise InputError(f"The journal of {self.label} cannot be read: {error.strerror}.") from error

    def _take(self, line: bytes) -> None:
        event = decode(line)
        if isinstance(event, Alert) and event.kind == "stop":
            self._stop = None  # it could not be obeyed
        if event is not None:
            self.publish(event)
        elif b'"refused"' in line:
            with suppress(ValueError, KeyError):
                message = str(json.loads(line)["refused"])
                self.publish(Alert(step=self.snapshot().step, kind="control", severity="warning", message=message))

    @staticmethod
    def _lines(connection: socket.socket) -> Iterator[bytes]:
        with suppress(OSError), connection.makefile("rb") as lines:
            yield from lines
