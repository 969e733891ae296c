"""Commands over the socket: what fits becomes one, everything else is refused with a sentence."""

import json

import pytest

from tui_trainer.run.commands import (
    Command,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    Stop,
    UseModel,
)
from tui_trainer.sessions.control.protocol import COMMANDS, decode_message, encode_command
from tui_trainer.sessions.control.protocol import decode_command as command_in


def decode_command(line: bytes, source: str) -> Command:
    return command_in(decode_message(line), source)


EVERY: tuple[Command, ...] = (
    Pause("x"),
    Resume("x"),
    StepOnce("x"),
    SaveCheckpoint("x"),
    SetTemperature("x", 0.7),
    SetPrompt("x", "Es war ein\nmal \U0001f98a"),
    Generate("x"),
    UseModel("x", "last"),
    UseModel("x", "best"),
    Stop("x", False),
)


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)
def test_a_command_arrives_as_it_was_sent(command: Command) -> None:
    line = encode_command(command)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_command(line, "x") == command


def test_the_source_is_the_receivers_to_say() -> None:
    line = json.dumps({"command": "pause", "source": "keyboard"}).encode()
    assert decode_command(line, "attached").source == "attached"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"pause"',
        b"{}",
        b'{"command": 1}',
        b'{"command": "format_disk"}',
        b'{"command": "pause", "value": 1}',
        b'{"command": "stop"}',
        b'{"command": "stop", "value": "yes"}',
        b'{"command": "stop", "value": 1}',
        b'{"command": "set_temperature"}',
        b'{"command": "set_temperature", "value": "hot"}',
        b'{"command": "set_temperature", "value": true}',
        b'{"command": "set_temperature", "value": -0.1}',
        b'{"command": "set_temperature", "value": 1e9}',
        b'{"command": "set_temperature", "value": NaN}',
        b'{"command": "set_prompt", "value": 3}',
        b'{"command": "set_prompt"}',
        b'{"command": "use_model"}',
        b'{"command": "use_model", "value": "worst"}',
        b'{"command": "use_model", "value": ["last"]}',
        b"[" * 60_000,
    ],
)
def test_what_is_no_command_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        decode_command(line, "attached")


def test_every_command_has_a_name_of_its_own() -> None:
    assert {command.name for command in EVERY} <= COMMANDS.keys()
