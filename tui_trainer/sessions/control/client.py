"""The client of a control socket, for viewers and for single commands."""

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, get_type_hints

from tui_trainer.config import InputError
from tui_trainer.run import alerts
from tui_trainer.run.codec import LAST_TIME, decode, fits
from tui_trainer.run.commands import Command
from tui_trainer.run.events import STATES, Event
from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import NewerFormatError, check_socket_format
from tui_trainer.run.journal import MAX_LINE
from tui_trainer.run.requests import Reply, Request
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.control.address import connect
from tui_trainer.sessions.control.protocol import MessageTooLong, checked_length, encode_command, read_lines
from tui_trainer.sessions.control.request_lines import decode_reply, encode_request

LOOK_SECONDS: Final = 0.5
"""How often `check` is called while the trainer is waited for."""


WAITING_LIMIT: Final = 10**6
"""Events that a trainer may announce: many hours of steps that a full disk has not taken."""

RECEIVED_LIMIT: Final = 64 * 2**20
"""Bytes that may wait to be taken in: beyond that the connection is given up, as a trainer does with a slow viewer."""

RECEIVED_LINE: Final = 256
"""Bytes that each line takes at least, in memory."""


@dataclass(frozen=True)
class Greeting:
    """The first message of a trainer: the state of its run, and how much of the journal precedes the events."""

    journal: int = 0
    """Bytes."""
    waiting: int = 0
    """Events of the past that are not in the journal yet: they come first."""
    pid: int | None = None
    state: str = ""
    """Empty when the trainer does not say, or has hung up."""
    step: int = 0
    room: bool = True
    """Whether one more viewer may attach."""
    unattended_since: float | None = None
    """Unix seconds; None while a viewer is attached."""
    requests: list[str] = field(default_factory=list)
    """The kinds that the trainer answers; none where it is of an older version."""

    def __post_init__(self) -> None:
        """Raises ValueError for values that no trainer sends."""
        whole = all(fits(value, _HINTS[name]) for name, value in vars(self).items())
        if not whole or min(self.journal, self.waiting, self.step, self.pid or 0) < 0:
            raise ValueError("a value is of another type than it should be")
        if self.waiting > WAITING_LIMIT:
            raise ValueError("so many events do not wait to be written")
        if self.state not in ("", *STATES) or not 0 <= (self.unattended_since or 0) < LAST_TIME:
            raise ValueError("there is no such state or time")


_HINTS: Final = get_type_hints(Greeting)


class Connection:
    """A connection to a live trainer. One thread receives; any may send or hang up."""

    def __init__(self, folder: Folder, check: Callable[[], None] = lambda: None) -> None:
        """To the trainer in a run's directory; raises OSError if there is none.

        `check` is called again and again while there is waiting to be done; what it raises ends that.
        """
        self._socket = connect(folder, LOOK_SECONDS)
        self._check = check
        self._lines = self._read()
        self._waiting = 0
        """Events of the past that have been announced and not been read."""
        self._receiver: threading.Thread | None = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self._receiver is not None:
            self._receiver.join()
        self._socket.close()

    def greet(self) -> Greeting:
        """To be called first; raises InputError if the trainer refuses, or its greeting cannot be understood."""
        message = _object(next(self._lines, b"{}"))
        if "refused" in message:
            raise InputError(visible_line(str(message["refused"])))
        try:
            check_socket_format(message.get("format", 1))
            greeting = Greeting(**{name: value for name, value in message.items() if name in _HINTS})
        except NewerFormatError:
            raise
        except ValueError as error:
            raise InputError("The trainer does not speak this protocol: it may be of another version.") from error
        self._waiting = greeting.waiting
        return greeting

    def receive_ahead(self) -> None:
        """Receive in a thread of its own from now on: the trainer disconnects a viewer that makes it wait."""
        received = _ReceivedLines()
        self._receiver = threading.Thread(
            target=received.put_all, args=(self._lines, self.hang_up), name="receiver", daemon=True
        )
        self._receiver.start()
        self._lines = iter(received.get, None)

    def past(self) -> list[Event]:
        """The events of the past that the greeting has announced, if they have not been read."""
        return [event for line in self._announced() if (event := decode(line)) is not None]

    def events(self, take_reply: Callable[[Reply], None] = lambda reply: None) -> Iterator[Event]:
        """What happens from the greeting on, until the trainer hangs up; a refusal is an alert.

        `take_reply` is called for each reply to a request that was sent on this connection.
        """
        for _ in self._announced():
            pass
        for line in self._lines:
            event = decode(line)
            if event is not None:
                yield event
            elif "refused" in (message := _object(line)):
                yield alerts.control(0, str(message["refused"]))
            elif (reply := decode_reply(message)) is not None:
                take_reply(reply)

    def send(self, command: Command) -> None:
        """Raises InputError for one that is too long, OSError when the trainer has hung up."""
        self._socket.sendall(encode_command(command))

    def send_request(self, request: Request) -> None:
        """Raises InputError for one that is too long, OSError when the trainer has hung up."""
        self._socket.sendall(checked_length(encode_request(request), "request"))

    def hang_up(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _announced(self) -> Iterator[bytes]:
        waiting, self._waiting = self._waiting, 0
        return islice(self._lines, waiting)

    def _read(self) -> Iterator[bytes]:
        """Lines, up to one that is longer than any event takes."""
        with suppress(MessageTooLong):
            yield from read_lines(self._socket, MAX_LINE, self._check)


class _ReceivedLines:
    """What has been received and not been taken: one thread puts, another gets."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._put = self._taken = 0
        """Bytes: each is counted by one of the threads alone."""

    def put_all(self, lines: Iterator[bytes], hang_up: Callable[[], None]) -> None:
        """Until there are no more, or too many wait; None comes last."""
        try:
            for line in lines:
                self._put += len(line) + RECEIVED_LINE
                if self._put - self._taken > RECEIVED_LIMIT:
                    hang_up()
                    return
                self._lines.put(line)
        finally:
            self._lines.put(None)

    def get(self) -> bytes | None:
        """The next one, once there is one; None at the end."""
        line = self._lines.get()
        self._taken += 0 if line is None else len(line) + RECEIVED_LINE
        return line


def _object(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
