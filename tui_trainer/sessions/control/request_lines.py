"""Requests and replies as messages of the control socket.

{"request": name, "id": ..., and the request's own fields} from a viewer, {"reply": name, "id": ..., its own fields} to
that viewer alone.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, get_type_hints

from tui_trainer.run.codec import fits
from tui_trainer.run.journal import MAX_LINE
from tui_trainer.run.requests import REPLIES, REQUESTS, Refused, Reply, Request

UNREADABLE: Final = "The trainer's reply cannot be read here: it may be of another version."


def encode_request(request: Request) -> bytes:
    return _line({"request": request.name, **vars(request)})


def decode_request(message: Mapping[str, Any]) -> Request:
    """Raises ValueError, with a sentence, for what is no request."""
    kind = REQUESTS.get(str(message.get("request")))
    if kind is None:
        raise ValueError(f"There is no such request: choose one of {', '.join(REQUESTS)}.")
    values = {name: value for name, value in message.items() if name != "request"}
    known = {spec.name for spec in fields(kind)}
    lacking = {spec.name for spec in fields(kind) if spec.default is MISSING} - values.keys()
    if lacking or values.keys() - known:
        raise ValueError(f"The request {kind.name} takes {', '.join(sorted(known))}.")
    return kind(**values)


def encode_reply(reply: Reply) -> bytes:
    line = _line({"reply": reply.name, **vars(reply)})
    return line if len(line) <= MAX_LINE else encode_reply(Refused(reply.id, "The reply is too long to be sent."))


def decode_reply(message: Mapping[str, Any]) -> Reply | None:
    """The reply, without fields that are not known here; None for what is no reply to any request.

    One that cannot be read refuses the request, as no other is to come.
    """
    request_id = message.get("id")
    if "reply" not in message or not isinstance(request_id, str):
        return None
    if (kind := REPLIES.get(str(message["reply"]))) is not None:
        hints = {spec.name: get_type_hints(kind)[spec.name] for spec in fields(kind)}
        if hints.keys() <= message.keys() and all(fits(message[name], hint) for name, hint in hints.items()):
            return kind(**{name: message[name] for name in hints})
    return Refused(request_id, UNREADABLE)


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
