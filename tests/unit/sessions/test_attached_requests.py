"""What is asked of a trainer in another process: it arrives whole, or is refused with a sentence that is true."""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run.test_lock import held
from tests.unit.sessions.test_overview import make
from tests.unit.sessions.watching import Watching
from tests.waiting import TIMEOUT, until
from tui_trainer.run.commands import Pause, SetPrompt
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.requests import Refused, Reply, SampleRequest
from tui_trainer.sessions.attached import NO_CONNECTION, TRAINER_ENDED, AttachedSession
from tui_trainer.sessions.control import client
from tui_trainer.sessions.control.address import bind
from tui_trainer.sessions.control.protocol import MAX_MESSAGE

GREETING = {"pid": 1, "state": "running", "requests": ["sample"]}

LONG = "x" * 60_000


class Trainer:
    """The other end of a session's connection, which reads when it is told to."""

    def __init__(self, run: RunDirectory) -> None:
        self._lock, self._folder = held(run), run.open()
        self._listener = bind(self._folder)
        self._listener.settimeout(TIMEOUT)
        self.session = AttachedSession(run)

    def greet(self) -> None:
        """The next viewer, once it has said that it stays."""
        self.connection, _ = self._listener.accept()
        self.connection.settimeout(TIMEOUT)
        self.connection.sendall(json.dumps(GREETING).encode() + b"\n")
        self._lines = self.connection.makefile("rb")
        assert self.next() == {"command": "attach"}

    def next(self) -> dict[str, Any]:
        return dict(json.loads(next(self._lines)))

    def end(self) -> None:
        for each in (self._lock, self._listener, self._lines, self.connection, self._folder):
            each.close()


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Trainer]:
    trainer = Trainer(make(tmp_path, "cats"))
    watching = Watching(trainer.session)
    yield trainer
    trainer.session.leave()
    assert watching.ends()
    trainer.end()


def ask(session: AttachedSession, prompt: str = "The", name: str = "1") -> Future[Reply]:
    return session.request(SampleRequest(name, prompt))


def until_answering(session: AttachedSession) -> None:
    until(lambda: not session._requests._refusal, "the connection")


def test_what_follows_a_request_of_which_a_part_was_sent_arrives_whole(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOK_SECONDS", 0.1)
    session = trainer.session
    trainer.greet()
    until_answering(session)
    assert session._connection is not None
    session._connection._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    assert ask(session, LONG).result(TIMEOUT) == Refused("1", NO_CONNECTION)
    assert trainer.connection.recv(MAX_MESSAGE), "so that there is room for more"
    session.send(Pause())
    trainer.greet()
    assert trainer.next() == {"command": "pause"}


def test_a_request_that_is_too_long_is_refused_and_costs_no_connection(trainer: Trainer) -> None:
    trainer.greet()
    until_answering(trainer.session)
    refused = ask(trainer.session, "x" * MAX_MESSAGE).result(TIMEOUT)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("A request has at most 65,536 bytes, and this one 65,6")
    ask(trainer.session)
    assert trainer.next()["prompt"] == "The"


def test_what_is_asked_the_moment_requests_are_taken_is_sent(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Future[Reply]] = []
    accept: Callable[[], None] = trainer.session._requests.accept

    def accept_and_be_asked() -> None:
        accept()
        asked.append(ask(trainer.session))

    monkeypatch.setattr(trainer.session._requests, "accept", accept_and_be_asked)
    trainer.greet()
    assert trainer.next()["prompt"] == "The"
    until(lambda: asked, "the request's future")
    assert not asked[0].done()


def test_of_a_trainer_that_has_ended_nothing_is_promised(trainer: Trainer) -> None:
    trainer.greet()
    until_answering(trainer.session)
    waiting = ask(trainer.session)
    trainer.end()
    assert waiting.result(TIMEOUT) == Refused("1", NO_CONNECTION)
    until(lambda: trainer.session.read_only_reason, "the end")
    assert ask(trainer.session, name="2").result(TIMEOUT) == Refused("2", TRAINER_ENDED)


def test_a_command_that_is_too_long_is_refused_and_the_connection_stays(trainer: Trainer) -> None:
    trainer.greet()
    trainer.session.send(SetPrompt(value="x" * MAX_MESSAGE))
    trainer.session.send(Pause())
    assert trainer.next() == {"command": "pause"}
    assert [alert.message for alert in trainer.session.snapshot().alerts] == [
        "Not sent: set_prompt. A command has at most 65,536 bytes, and this one 65,575: shorten it."
    ]
