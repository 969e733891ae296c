"""Requests and replies over the socket: what fits becomes one, everything else is refused with a sentence."""

import json
from typing import Any

import pytest

from tui_trainer.run.journal import MAX_LINE
from tui_trainer.run.requests import REPLIES, REQUESTS, Refused, Reply, SampleReply, SampleRequest
from tui_trainer.sessions.control.request_lines import (
    UNREADABLE,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

REQUEST = SampleRequest("a-1", "Es war ein\nmal \U0001f98a", temperature=0.5, tokens=7, seed=3)


def test_a_request_arrives_as_it_was_sent() -> None:
    line = encode_request(REQUEST)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert decode_request(json.loads(line)) == REQUEST


def test_what_has_a_default_may_be_left_out() -> None:
    assert decode_request({"request": "sample", "id": "1", "prompt": "The"}) == SampleRequest("1", "The")


@pytest.mark.parametrize("reply", [SampleReply("1", "The", " cat\n", 7), Refused("1", "Not now.")])
def test_a_reply_arrives_as_it_was_sent(reply: Reply) -> None:
    assert decode_reply(json.loads(encode_reply(reply))) == reply


@pytest.mark.parametrize(
    "change",
    [
        {"request": "weights"},
        {"request": ["sample"]},
        {"id": None},
        {"id": ""},
        {"id": 5},
        {"id": "x" * 65},
        {"prompt": 3},
        {"prompt": None},
        {"temperature": "hot"},
        {"temperature": -1},
        {"temperature": float("nan")},
        {"tokens": 0},
        {"tokens": None},
        {"tokens": True},
        {"tokens": 10_001},
        {"tokens": 1.5},
        {"seed": "x"},
        {"seed": -5},
        {"seed": 2**80},
        {"further": 1},
    ],
    ids=str,
)
def test_what_is_no_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        decode_request({"request": "sample", "id": "1", "prompt": "The", **change})


def test_what_a_reply_has_beyond_its_fields_is_left_out() -> None:
    message = json.loads(encode_reply(SampleReply("1", "The", " cat", 7)))
    assert decode_reply({**message, "seconds": 0.1}) == SampleReply("1", "The", " cat", 7)


@pytest.mark.parametrize(
    "message", [{}, {"id": "1"}, {"reply": "weights"}, {"reply": "refused", "id": 1, "reason": "x"}]
)
def test_what_is_no_reply_is_left_out(message: dict[str, Any]) -> None:
    assert decode_reply(message) is None


@pytest.mark.parametrize(
    "message", [{"reply": "weights"}, {"reply": "refused"}, {"reply": "refused", "reason": 1}, {"reply": ["refused"]}]
)
def test_a_reply_that_cannot_be_read_is_a_refusal(message: dict[str, Any]) -> None:
    assert decode_reply({**message, "id": "1"}) == Refused("1", UNREADABLE)


def test_a_reply_that_is_too_long_is_a_refusal() -> None:
    told = json.loads(encode_reply(SampleReply("1", "The", "x" * MAX_LINE, 7)))
    assert told == {"reply": "refused", "id": "1", "reason": "The reply is too long to be sent."}


def test_every_request_and_reply_has_a_name_of_its_own() -> None:
    assert {"sample"} <= REQUESTS.keys()
    assert {"sample", "refused"} <= REPLIES.keys()
