"""What goes over a control socket, one JSON object a line.

To a viewer: a greeting that says where the run stands ("pid", "state", "step", "unattended_since") and how much of the
journal, and how many of the events that follow, are of the past; then events as the journal has them, and {"refused":
sentence} for what it sent in vain.
From a viewer: commands, each {"command": name} and, where it takes one, "value". The first is attach from who stays to
look on; from anybody else it is the one thing that is to be done.
"""

import json
from typing import Any, Final

from tui_trainer.config import Config, InputError
from tui_trainer.run.commands import Command, SetPrompt, SetTemperature, Stop, UseModel
from tui_trainer.run.events import BEST, LAST

MAX_LINE: Final = 65_536
"""Bytes in a message; a longer one is refused."""

COMMANDS: Final[dict[str, type[Command]]] = {kind.name: kind for kind in Command.__subclasses__()}


def encode_command(command: Command) -> bytes:
    message = {"command": command.name}
    if command.argument is not None:
        message["value"] = command.argument  # type: ignore[assignment]
    return json.dumps(message).encode() + b"\n"


def refusal(reason: str) -> bytes:
    return json.dumps({"refused": reason}).encode() + b"\n"


def decode_command(line: bytes, source: str) -> Command:
    """The command of one message; raises ValueError, with a sentence, for what is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("A message must be one JSON object on a line.") from error
    if not isinstance(message, dict) or not isinstance(message.get("command"), str):
        raise ValueError('A message must be like {"command": "pause"}.')
    kind = COMMANDS.get(message["command"])
    if kind is None:
        raise ValueError(f"There is no such command: choose one of {', '.join(COMMANDS)}.")
    return _with_value(kind, message.get("value"), source)


def _with_value(kind: type[Command], value: Any, source: str) -> Command:
    """The command, its value within the bounds that the command line has."""
    try:
        if kind is SetTemperature:
            return SetTemperature(source, Config().update(temperature=value).sampling.temperature)
        if kind is SetPrompt:
            return SetPrompt(source, Config().update(prompt=value).sampling.prompt)
    except InputError as error:
        raise ValueError(str(error)) from error
    if kind is Stop:
        if not isinstance(value, bool):
            raise ValueError("stop takes true, to save a checkpoint first, or false.")
        return Stop(source, value)
    if kind is UseModel:
        if value not in (LAST, BEST):
            raise ValueError(f"use_model takes {LAST} or {BEST}.")
        return UseModel(source, value)
    if value is not None:
        raise ValueError(f"{kind.name} takes no value.")
    return kind(source)
