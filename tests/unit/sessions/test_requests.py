"""Requests that wait for their reply: each is answered or refused, and nothing blocks."""

import threading

import pytest

from tests.waiting import TIMEOUT
from tui_trainer.config import InputError
from tui_trainer.run.requests import Refused, SampleReply, SampleRequest
from tui_trainer.sessions.requests import MAX_OPEN, TOO_MANY, Answer, AnsweringThread, OpenRequest, OpenRequests


def request(name: str = "1") -> SampleRequest:
    return SampleRequest(name, "The")


def reply(name: str = "1") -> SampleReply:
    return SampleReply(name, "The", " cat", 7)


def test_what_cannot_be_asked_yet_is_refused_at_once() -> None:
    requests, passed = OpenRequests("Not yet."), list[OpenRequest]()
    assert requests.ask(request(), passed.append).result(0) == Refused("1", "Not yet.")
    assert passed == []
    requests.accept()
    assert not requests.ask(request(), passed.append).done()


def test_only_so_many_wait() -> None:
    requests, passed = OpenRequests(), list[OpenRequest]()
    for number in range(MAX_OPEN):
        requests.ask(request(str(number)), passed.append)
    assert requests.ask(request("more"), passed.append).result(0) == Refused("more", TOO_MANY)
    passed[0].answer(reply("0"))
    assert not requests.ask(request("more"), passed.append).done()


def test_one_that_is_cancelled_makes_room_and_takes_no_reply() -> None:
    requests, passed = OpenRequests(), list[OpenRequest]()
    asked = [requests.ask(request(str(number)), passed.append) for number in range(MAX_OPEN)]
    assert asked[0].cancel()
    assert passed[0].given_up
    passed[0].answer(reply("0"))
    assert not requests.ask(request("more"), passed.append).done()


def test_all_that_wait_are_refused_at_an_end() -> None:
    requests = OpenRequests()
    asked = requests.ask(request(), lambda opened: None)
    requests.refuse_all("It is over.")
    assert asked.result(0) == Refused("1", "It is over.")
    assert requests.ask(request("2"), lambda opened: None).result(0) == Refused("2", "It is over.")


def answer(opened: OpenRequest) -> list[None]:
    opened.answer(reply(opened.request.id))
    return []


def test_what_answers_is_loaded_when_first_asked_and_once() -> None:
    loaded = []

    def load() -> Answer:
        loaded.append(threading.current_thread())
        return answer

    answering, requests = AnsweringThread(load), OpenRequests()
    assert loaded == []
    assert [requests.ask(request(name), answering.put).result(TIMEOUT) for name in "12"] == [reply("1"), reply("2")]
    assert len(loaded) == 1
    assert loaded[0] is not threading.current_thread()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("There is no checkpoint."), "There is no checkpoint."),
        (RuntimeError("boom"), "It could not be answered (RuntimeError: boom)."),
    ],
)
def test_what_cannot_be_loaded_is_a_refusal_and_tried_again(error: Exception, told: str) -> None:
    left = [error]

    def load() -> Answer:
        if left:
            raise left.pop()
        return answer

    answering, requests = AnsweringThread(load), OpenRequests()
    assert requests.ask(request(), answering.put).result(TIMEOUT) == Refused("1", told)
    assert requests.ask(request(), answering.put).result(TIMEOUT) == reply()
