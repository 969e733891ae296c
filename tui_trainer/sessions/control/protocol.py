"""What goes over a control socket, one JSON object a line.

To a viewer: a greeting that tells its format ("format": see run/formats.py), where the run stands ("pid", "state",
"step", "unattended_since"), whether there is room for one more to attach ("room"), and how much of the journal
("journal") and how many of the events that follow ("waiting") are of the past; then events as the journal has them, and
{"refused": sentence} for what it sent in vain.
From a viewer: commands, each {"command": name} and, where it takes one, "value". The first is attach from who stays to
look on; from anybody else it is the one thing that is to be done. Requests and replies: see `request_lines`; the
greeting names the requests that are answered ("requests").
"""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from tui_trainer.config import InputError
from tui_trainer.run.commands import COMMANDS, Command

MAX_MESSAGE: Final = 65_536
"""Bytes in a message of a viewer; a longer one is refused."""

BLOCK: Final = 65_536
"""Bytes taken from a socket at once."""

NO_ROOM: Final = "As many viewers are attached as there may be: close one of them."


class MessageTooLong(ValueError):
    """The other end sends a line that has more bytes than it may."""


def read_lines(connection: socket.socket, limit: int, check: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Whole lines as they come, without their line ends, until the other end hangs up or the connection breaks.

    Raises MessageTooLong at a line of more than `limit` bytes. `check` is called before each wait, which takes no
    longer than the socket's timeout; what it raises ends the waiting.
    """
    buffer = b""
    while True:
        check()
        try:
            data = connection.recv(BLOCK)
        except TimeoutError:
            continue
        except OSError:
            return
        if not data:
            return
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            if len(line) > limit:
                raise MessageTooLong
            yield line
        if len(buffer) > limit:
            raise MessageTooLong


def checked_length(line: bytes, what: str) -> bytes:
    """A message of a viewer, with its line end; raises InputError for one that is too long."""
    if len(line) > MAX_MESSAGE + len(b"\n"):
        raise InputError(f"A {what} has at most {MAX_MESSAGE:,} bytes, and this one {len(line):,}: shorten it.")
    return line


def encode_command(command: Command) -> bytes:
    """Raises InputError for one that is too long."""
    message = {"command": command.name}
    if command.argument is not None:
        message["value"] = command.argument  # type: ignore[assignment]
    return checked_length(json.dumps(message).encode() + b"\n", "command")


def refusal(reason: str) -> bytes:
    return json.dumps({"refused": reason}).encode() + b"\n"


def decode_message(line: bytes) -> dict[str, Any]:
    """One message of a viewer; raises ValueError, with a sentence, for what is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("A message must be one JSON object on a line.") from error
    if not isinstance(message, dict):
        raise ValueError('A message must be like {"command": "pause"}.')
    return message


def decode_command(message: Mapping[str, Any], source: str) -> Command:
    """The command that a message is; raises ValueError, with a sentence, where it is none."""
    if not isinstance(message.get("command"), str):
        raise ValueError('A message must be like {"command": "pause"}.')
    kind = COMMANDS.get(message["command"])
    if kind is None:
        raise ValueError(f"There is no such command: choose one of {', '.join(COMMANDS)}.")
    if not any(spec.name == "value" for spec in fields(kind)):
        if message.get("value") is not None:
            raise ValueError(f"{kind.name} takes no value.")
        return kind(source)
    return kind(source, message.get("value"))  # type: ignore[call-arg]
