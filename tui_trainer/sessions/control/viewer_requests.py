"""The requests of one viewer, whose replies go to it alone."""

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from tui_trainer.run.requests import MAX_ID, Refused, Reply, Request
from tui_trainer.sessions.control.request_lines import decode_request, encode_reply

Ask = Callable[[Request, object], Future[Reply]]
"""Called with a request and who asks it."""


class ViewerRequests:
    """Taken in by the thread that reads from the viewer, and answered by any; what is to be sent waits for another."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._open: list[Future[Reply]] = []
        """Only the thread that reads changes it."""
        self._given_up = False
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()

    def take(self, message: Mapping[str, Any]) -> None:
        """Ask what a message asks; raises ValueError for one that cannot be replied to."""
        try:
            request = decode_request(message)
        except ValueError as error:
            request_id = message.get("id")
            if not (isinstance(request_id, str) and 0 < len(request_id) <= MAX_ID):
                raise
            self._replies.put(Refused(request_id, str(error)))
            return
        reply = self._ask(request, self)
        self._open = [*(each for each in self._open if not each.done()), reply]
        reply.add_done_callback(self._put)
        if self._given_up:  # the viewer has gone since this began, and `give_up` may not have seen the last
            reply.cancel()

    def _put(self, reply: Future[Reply]) -> None:
        """In the thread that answers, which may be the trainer's: nothing is sent here."""
        if not reply.cancelled():
            self._replies.put(reply.result())

    def replies(self) -> bytes:
        """What has not been sent."""
        lines = []
        with suppress(queue.Empty):
            while True:
                lines.append(encode_reply(self._replies.get_nowait()))
        return b"".join(lines)

    def give_up(self) -> None:
        """The viewer has gone; called by the thread that sends."""
        self._given_up = True  # before the list is read: see `take`
        for reply in self._open:
            reply.cancel()
