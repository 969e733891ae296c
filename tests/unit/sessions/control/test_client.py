"""The other end of a control socket, where something strange listens."""

import threading
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from tui_trainer.config import InputError
from tui_trainer.run.codec import encode
from tui_trainer.run.events import StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.control import client
from tui_trainer.sessions.control.address import bind, unbind
from tui_trainer.sessions.control.client import Connection


def test_a_line_without_an_end_is_not_listened_to_for_ever(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder, bind(folder) as listener:
        hung_up = threading.Event()

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b'{"journal": 0}\n')
                try:
                    while True:
                        connection.sendall(b"x" * 65_536)
                except OSError:
                    hung_up.set()

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        with Connection(folder) as connection:
            assert connection.greet().journal == 0
            assert list(connection.events()) == []
        assert hung_up.wait(TIMEOUT)
        talking.join(TIMEOUT)
        unbind(folder)


@pytest.mark.parametrize(
    "greeting",
    [
        '{"waiting": "x"}',
        '{"waiting": -1}',
        '{"waiting": 1000000001}',
        '{"journal": 1.5}',
        '{"journal": null}',
        '{"pid": "1; rm"}',
        '{"pid": true}',
        '{"state": 3}',
        '{"state": "running\\u001b[2J"}',
        '{"step": [1]}',
        '{"step": 1e99}',
        '{"unattended_since": "now"}',
        '{"unattended_since": NaN}',
        '{"unattended_since": -1e30}',
    ],
)
def test_a_greeting_that_no_trainer_sends_is_refused(tmp_path: Path, greeting: str) -> None:
    with Folder.open(tmp_path) as folder, bind(folder) as listener, Connection(folder) as connection:
        stranger, _ = listener.accept()
        with stranger:
            stranger.sendall(greeting.encode() + b"\n")
            with pytest.raises(InputError, match="does not speak this protocol"):
                connection.greet()
        unbind(folder)


def test_a_refusal_cannot_move_the_cursor(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder, bind(folder) as listener, Connection(folder) as connection:
        stranger, _ = listener.accept()
        with stranger:
            stranger.sendall(b'{"refused": "\\u001b[2J no"}\n')
            with pytest.raises(InputError, match="\u241b"):
                connection.greet()
        unbind(folder)


def test_what_was_announced_of_the_past_is_no_news(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder, bind(folder) as listener:
        for read in (True, False):
            with Connection(folder) as connection:
                trainer, _ = listener.accept()
                events = "".join(f"{encode(StateChanged(step=step, state='paused'))}\n" for step in range(3))
                with trainer:
                    trainer.sendall(b'{"journal": 7, "waiting": 2}\n' + events.encode())
                assert connection.greet().waiting == 2
                assert not read or [event.step for event in connection.past()] == [0, 1]
                assert [event.step for event in connection.events()] == [2]
        unbind(folder)


def test_who_sends_more_than_is_taken_in_is_listened_to_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missed is in the journal."""
    monkeypatch.setattr(client, "RECEIVED_LIMIT", 100_000)
    line = f"{encode(StateChanged(step=1, state='paused'))}\n".encode()
    with Folder.open(tmp_path) as folder, bind(folder) as listener, Connection(folder) as connection:
        trainer, _ = listener.accept()
        with trainer:
            trainer.settimeout(TIMEOUT)
            trainer.sendall(b'{"journal": 0}\n')
            connection.greet()
            connection.receive_ahead()
            with pytest.raises(OSError):
                while True:
                    trainer.sendall(line * 100)
        assert 10 < len(list(connection.events())) < 100_000 / len(line)
        unbind(folder)
