"""A stop amid preparing what cannot be interrupted: the session ends without it."""

import threading
from pathlib import Path

import pytest

from tests.unit.training.helpers import TEXT, small_config
from tests.waiting import TIMEOUT, until
from tui_trainer.run.commands import Stop
from tui_trainer.sessions.base import Outcome
from tui_trainer.training import local, preparation
from tui_trainer.training.local import LocalSession


@pytest.fixture
def session(tmp_path: Path) -> LocalSession:
    corpus = tmp_path / "cats.txt"
    corpus.write_text(TEXT, encoding="utf-8")
    return LocalSession(small_config(corpus))


def test_a_stop_does_not_wait_for_what_cannot_be_interrupted(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, released = threading.Event(), threading.Event()

    def work(*_: object) -> None:
        working.set()
        released.wait(TIMEOUT)

    monkeypatch.setattr(local, "PREPARATION_SECONDS", 0.2)
    monkeypatch.setattr(preparation, "choose_device", work)
    session.start()
    assert working.wait(TIMEOUT)
    assert session.alive and session.outcome is None
    session.send(Stop())
    session.wait()
    try:
        assert session.given_up and not session.alive
        assert session.outcome == Outcome()
        assert session.directory is None
    finally:
        released.set()


def test_a_stop_lets_what_can_be_interrupted_end_by_itself(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "PREPARATION_SECONDS", TIMEOUT)
    session.send(Stop())
    session.start()
    session.wait()
    assert not session.given_up
    assert session.outcome == Outcome()


def test_a_run_that_trains_is_not_given_up(session: LocalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "PREPARATION_SECONDS", 0.0)
    session.start()
    until(lambda: session.snapshot().state == "finished")
    until(lambda: all(thread.name != local.GIVING_UP for thread in threading.enumerate()))
    session.send(Stop(value=True))
    session.wait()
    assert not session.given_up
    assert session.snapshot().last_checkpoint is not None
