"""The other end of a control socket: what a viewer does, and a command that only asks one thing."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from tui_trainer.config import InputError
from tui_trainer.run.commands import Command
from tui_trainer.run.control.address import connect
from tui_trainer.run.control.protocol import encode_command
from tui_trainer.run.events import Alert, Event
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import MAX_LINE
from tui_trainer.run.lines import decode

LOOK_SECONDS: Final = 0.5
"""How often whoever waits for the trainer looks whether to wait on."""

REFUSED: Final = "control"
"""The kind of the alert that stands for a refusal; it is of this connection alone, and in no journal."""


@dataclass(frozen=True)
class Greeting:
    """What a trainer says first: where its run stands, and how much of the journal lies before what follows."""

    journal: int = 0
    """Bytes."""
    past: list[Event] = field(default_factory=list)
    """What of the past is not in the journal yet."""
    pid: int | None = None
    state: str = ""
    """Empty when the trainer does not say, or has hung up."""
    step: int = 0
    unattended_since: float | None = None
    """Unix seconds; None while somebody looks."""


class Connection:
    """A connection to a live trainer. One thread reads; any may send or hang up."""

    def __init__(self, folder: Folder, check: Callable[[], None] = lambda: None) -> None:
        """To the trainer in a run's directory; raises OSError when nobody listens.

        `check` is called again and again while there is waiting to be done; what it raises ends that.
        """
        self._socket = connect(folder)
        self._socket.settimeout(LOOK_SECONDS)
        self._check = check
        self._lines = self._read()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def greet(self) -> Greeting:
        """To be called first; raises InputError when the trainer wants nothing to do with us."""
        told = _object(next(self._lines, b"{}"))
        if "refused" in told:
            raise InputError(str(told["refused"]))
        past = [event for line in islice(self._lines, told.get("waiting", 0)) if (event := decode(line)) is not None]
        about = {name: told[name] for name in ("journal", "pid", "state", "step", "unattended_since") if name in told}
        return Greeting(past=past, **about)

    def events(self) -> Iterator[Event]:
        """What happens, until the trainer hangs up; a refusal is an alert."""
        for line in self._lines:
            event = decode(line)
            if event is not None:
                yield event
            elif "refused" in (told := _object(line)):
                yield Alert(kind=REFUSED, severity="warning", message=str(told["refused"]))

    def send(self, command: Command) -> None:
        """Raises OSError when the trainer has hung up."""
        self._socket.sendall(encode_command(command))

    def hang_up(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> Iterator[bytes]:
        """Whole lines; whoever sends a longer one than any event takes is hung up on."""
        buffer = b""
        while True:
            self._check()
            try:
                data = self._socket.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            *lines, buffer = (buffer + data).split(b"\n")
            if len(buffer) > MAX_LINE:
                return
            yield from lines


def _object(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
