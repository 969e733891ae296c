"""The attached session: a run that is alive in another process, seen and steered through its control socket."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run import alerts
from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.commands import Attach, Command, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED, Alert, BranchStarted, Event, RunStarted, Stage, StateChanged
from tui_trainer.run.lineage import start_of
from tui_trainer.run.lock import folder_is_locked
from tui_trainer.run.requests import Reply, Request
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.base import Outcome, Session
from tui_trainer.sessions.control.client import Connection, Greeting
from tui_trainer.sessions.control.protocol import NO_ROOM, encode_command
from tui_trainer.sessions.journal_reader import READING, JournalReader
from tui_trainer.sessions.remote_requests import RemoteRequests
from tui_trainer.sessions.requests import OpenRequest

RETRY_SECONDS: Final = 0.5

STARTING_SECONDS: Final = 60.0
"""How long a trainer that has locked the run may take to accept connections."""

UNSENT_LIMIT: Final = 100
"""Commands that may wait for a connection."""

NO_CONNECTION: Final = "There is no connection to a trainer of this run: ask again once there is."

TRAINER_ENDED: Final = "The trainer has ended, and its model with it: look at the run with replay."

OLDER: Final = "The trainer is of an older version, which answers no such request."

VANISHED: Final = "The trainer's process has vanished: resume goes on from the newest checkpoint."


class AttachedSession(Session):
    """Shows a live run, its past from the journal; ends when it is left, or when the stop it asked for is done."""

    is_attached = True

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
        self._greeted = False
        """Whether the trainer has answered on the connection, so that it takes commands."""
        self._sending = threading.Lock()
        """Held while commands are sent, so that they keep their order."""
        self._unsent: deque[Command] = deque()
        self._leaving = threading.Event()
        self._stop: Stop | None = None
        self._past_shown = False
        self._requests = RemoteRequests(NO_CONNECTION)
        self._answered: Sequence[str] = ()
        """The kinds of requests that the trainer answers."""
        if not folder_is_locked(self._folder):
            self._folder.close()
            raise InputError(f"The run {name} is not being trained: look at it with replay, or go on with resume.")

    @property
    def run_path(self) -> Path:
        return self._folder.path

    def send(self, command: Command) -> None:
        """What cannot be sent now waits for a connection.

        An alert is published where too much waits, or where the command is too long.
        """
        try:
            encode_command(command)
        except InputError as error:
            self._publish_warning(f"Not sent: {command.name}. {error}")
            return
        stop = isinstance(command, Stop)
        with self._sending:
            full = len(self._unsent) >= UNSENT_LIMIT and not stop
            if isinstance(command, Stop):
                self._stop = command
            if not full:
                self._unsent.append(command)
                self._send_unsent()
        if full:
            self._publish_warning(
                f"Not sent: {command.name}. There is no connection, and {UNSENT_LIMIT} commands wait for one."
            )
        if stop and self.read_only_reason:
            self.leave()

    def request(self, request: Request) -> Future[Reply]:
        return self._requests.ask(request, self._send_request)

    def _send_request(self, opened: OpenRequest) -> None:
        with self._sending:
            refusal = self._try_to_send(opened.request)
        if refusal:
            opened.refuse(refusal)

    def _try_to_send(self, request: Request) -> str:
        """Why it cannot be sent; empty when it is. The caller holds `_sending`."""
        connection = self._connection
        if connection is None or not self._greeted:
            return NO_CONNECTION
        if request.name not in self._answered:
            return OLDER
        try:
            connection.send_request(request)
        except InputError as error:
            return str(error)
        except OSError:
            connection.hang_up()  # a part of it may have been sent
            return NO_CONNECTION
        return ""

    def _send_unsent(self) -> None:
        """Send what waits; the caller holds `_sending`."""
        connection = self._connection
        if connection is None or not self._greeted:
            return
        try:
            while self._unsent:
                connection.send(self._unsent[0])
                self._unsent.popleft()
        except OSError:
            connection.hang_up()  # a part of it may have been sent: what comes next must begin on another connection

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
            self._folder.locate()  # `run_path` is read afterwards, and is where the directory was last
            self._folder.close()

    def _run(self) -> Outcome:
        while not self._leaving.is_set():
            try:
                self._run_connection()
            except InputError as error:
                return Outcome(2, str(error))
            if not folder_is_locked(self._folder):
                self._end()
                break
            # The trainer disconnects a viewer that cannot keep up: what it missed is in the journal.
        return Outcome()

    def _end(self) -> None:
        """The trainer has ended: wait until this session is left, unless it was asked to stop the run."""
        if self.snapshot().state not in ENDED:
            with suppress(InputError):  # it may have ended before its last events were sent
                self._show_past()
        if self.snapshot().state not in ENDED:
            self.publish(StateChanged(step=self.snapshot().step, state="failed", reason=VANISHED))
        self._requests.refuse_all(TRAINER_ENDED)
        with self._sending:
            self.read_only_reason = "The trainer has ended: q leaves."
            lost = [command.name for command in self._unsent if not isinstance(command, Stop)]
        if lost:
            self._publish_warning(f"The trainer had ended before this could be sent: {', '.join(lost)}.")
        if self._stop is None:
            self._leaving.wait()

    def _run_connection(self) -> None:
        """Show the run's past, then publish its events, until the connection is closed or this session is left."""
        connection = self._connect()
        if connection is None:
            return
        try:
            with connection:
                if self._leaving.is_set():  # before there was a connection to shut down
                    return
                greeting = connection.greet()
                connection.receive_ahead()
                if greeting.pid is None:  # the trainer was about to end
                    return
                if not greeting.room:
                    raise InputError(NO_ROOM)
                with suppress(OSError):
                    connection.send(Attach())
                self._begin_sending(greeting)
                self._join(greeting, connection.past())
                for event in connection.events(self._requests.answer):
                    if self._leaving.is_set():  # much may have been received before
                        return
                    self._receive(event)
        finally:
            self._requests.refuse_all(NO_CONNECTION)
            with self._sending:
                self._connection, self._greeted = None, False

    def _begin_sending(self, greeting: Greeting) -> None:
        with self._sending:
            self._greeted, self._answered = True, greeting.requests
            if self._stop is not None and self._stop not in self._unsent:  # sent before, and not applied yet
                self._unsent.append(self._stop)
            self._send_unsent()
        self._requests.accept()  # when it is known which of them are answered

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

    def _join(self, greeting: Greeting, events: Sequence[Event]) -> None:
        """Show the past: the journal, and the events that wait to be written to it; raises InputError."""
        if greeting.journal or events:
            attended = bool(greeting.state) and greeting.unattended_since is None
            self._show_past(greeting.journal, events, attended)

    def _show_past(self, size: int | None = None, waiting: Sequence[Event] = (), attended: bool = False) -> None:
        """Show what has happened so far; raises InputError when the journal cannot be read.

        That is all of the journal, or of its first `size` bytes, and what waits to be written there. `attended` says
        that a viewer is attached already, which may not be in the journal yet.
        """
        later = [start_of(event) for event in waiting if isinstance(event, RunStarted | BranchStarted)]
        reader = JournalReader(self._folder)
        try:
            for done, total in reader.read(size, later) if size != 0 else ():
                if self._leaving.is_set():
                    return
                if not self._past_shown:
                    self.publish(Stage(stage=READING, done=done, total=total))
        except OSError as error:
            raise InputError(f"The journal of {self.label} cannot be read: {error.strerror}.") from error
        for event in waiting:
            reader.state.apply(event)
        if not self._past_shown and not attended:
            self.missed = reader.state.snapshot().absence
        self._past_shown = True
        self.replace_state(reader.state)

    def _receive(self, event: Event) -> None:
        if isinstance(event, Alert) and event.kind == AlertKind.STOP:
            self._stop = None  # nothing could be saved
        if isinstance(event, Alert) and event.kind == AlertKind.CONTROL:
            event = replace(event, step=self.snapshot().step)
        self.publish(event)

    def _publish_warning(self, message: str) -> None:
        self.publish(alerts.control(self.snapshot().step, message))
