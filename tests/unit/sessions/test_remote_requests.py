"""Requests that another process answers: the id alone tells which of them a reply is for."""

import pytest

from tests.unit.sessions.test_requests import reply, request
from tui_trainer.run.requests import Refused
from tui_trainer.sessions.remote_requests import SAME_ID, RemoteRequests
from tui_trainer.sessions.requests import OpenRequest


@pytest.fixture
def requests() -> RemoteRequests:
    return RemoteRequests()


@pytest.fixture
def passed() -> list[OpenRequest]:
    return []


def test_a_reply_goes_to_the_request_of_its_id(requests: RemoteRequests, passed: list[OpenRequest]) -> None:
    first, second = (requests.ask(request(name), passed.append) for name in ("1", "2"))
    assert [each.request.id for each in passed] == ["1", "2"]
    requests.answer(reply("2"))
    requests.answer(reply("3"))
    assert second.result(0) == reply("2")
    assert not first.done()


def test_an_id_that_is_open_is_refused_until_its_reply(requests: RemoteRequests, passed: list[OpenRequest]) -> None:
    first = requests.ask(request(), passed.append)
    assert requests.ask(request(), passed.append).result(0) == Refused("1", SAME_ID)
    requests.answer(reply())
    assert first.result(0) == reply()
    assert not requests.ask(request(), passed.append).done()
    assert len(passed) == 2


def test_the_reply_to_one_that_was_cancelled_goes_to_nobody(
    requests: RemoteRequests, passed: list[OpenRequest]
) -> None:
    assert requests.ask(request(), passed.append).cancel()
    assert requests.ask(request(), passed.append).result(0) == Refused("1", SAME_ID), "its reply may be on its way"
    requests.answer(reply())
    after = requests.ask(request(), passed.append)
    assert not after.done()
    requests.answer(reply())
    assert after.result(0) == reply()


def test_one_that_could_not_be_sent_leaves_its_id(requests: RemoteRequests, passed: list[OpenRequest]) -> None:
    assert requests.ask(request(), lambda opened: opened.refuse("No.")).result(0) == Refused("1", "No.")
    assert not requests.ask(request(), passed.append).done()


def test_another_connection_begins_without_ids(requests: RemoteRequests, passed: list[OpenRequest]) -> None:
    cancelled, open_still = (requests.ask(request(name), passed.append) for name in ("1", "2"))
    cancelled.cancel()
    requests.refuse_all("It is cut off.")
    assert open_still.result(0) == Refused("2", "It is cut off.")
    requests.accept()
    assert not any(requests.ask(request(name), passed.append).done() for name in ("1", "2"))
