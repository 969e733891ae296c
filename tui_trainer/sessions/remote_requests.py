"""Requests that another process answers: its replies name the request's id, and nothing else tells them apart."""

from typing import Final

from tui_trainer.run.requests import Reply
from tui_trainer.sessions.requests import OpenRequest, OpenRequests

SAME_ID: Final = "A request of this id waits for its reply: choose another id, or ask again later."


class RemoteRequests(OpenRequests):
    """The open requests of one connection, by id. Any thread may call it."""

    def __init__(self, refusal: str = "") -> None:
        super().__init__(refusal)
        self._by_id: dict[str, OpenRequest] = {}
        """Until the reply comes, also to one that was cancelled: it must not go to another of the same id.
        Guarded by `_lock`."""

    def answer(self, reply: Reply) -> None:
        """Give a reply to the request of its id."""
        with self._lock:
            opened = self._by_id.pop(reply.id, None)
        if opened is not None:
            opened.answer(reply)

    def refuse_all(self, reason: str, new: bool = True) -> None:
        super().refuse_all(reason, new)
        with self._lock:
            self._by_id.clear()

    def _take(self, opened: OpenRequest) -> str:
        if opened.request.id in self._by_id:
            return self._refusal or SAME_ID
        refusal = super()._take(opened)
        if not refusal:
            self._by_id[opened.request.id] = opened
        return refusal

    def _forget(self, opened: OpenRequest) -> None:
        super()._forget(opened)
        with self._lock:
            if self._by_id.get(opened.request.id) is opened and not opened.reply.cancelled():
                del self._by_id[opened.request.id]
