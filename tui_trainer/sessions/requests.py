"""Requests that wait for their reply: nothing blocks, and each is answered or refused in the end."""

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run.requests import Refused, Reply, Request

MAX_OPEN: Final = 16
"""Requests of one viewer, or of the screen of the process that trains, that are not answered yet."""

TOO_MANY: Final = f"{MAX_OPEN} requests wait for their reply, which is the most: ask again later."

NO_MODEL: Final = "There is no model here to ask."


@dataclass(frozen=True, eq=False)
class OpenRequest:
    """A request and where its reply goes. Any thread may answer it, once; the caller may cancel it."""

    request: Request
    reply: Future[Reply] = field(default_factory=Future)
    asker: object = None
    """Whose request it is, of several: each has a share of its own."""

    @property
    def given_up(self) -> bool:
        """Whether the reply was given or cancelled."""
        return self.reply.done()

    def answer(self, reply: Reply) -> None:
        with suppress(Exception):  # it was cancelled, or answered, at this moment
            self.reply.set_result(reply)

    def refuse(self, reason: str) -> None:
        self.answer(Refused(self.request.id, reason))


def refuse(request: Request, reason: str = NO_MODEL) -> Future[Reply]:
    """The reply where there is none."""
    opened = OpenRequest(request)
    opened.refuse(reason)
    return opened.reply


class OpenRequests:
    """The requests of a session that wait for their reply. Any thread may call it."""

    def __init__(self, refusal: str = "") -> None:
        """`refusal` is why no request is taken yet; empty when they are."""
        self._refusal = refusal
        self._open: set[OpenRequest] = set()
        self._lock = threading.Lock()
        """Guards both; no reply is given while it is held, as its receiver may call this again."""

    def ask(self, request: Request, pass_on: Callable[[OpenRequest], None], asker: object = None) -> Future[Reply]:
        """The future reply, of which a refusal is one; `pass_on` is called unless it is refused at once."""
        opened = OpenRequest(request, asker=asker)
        with self._lock:
            refusal = self._take(opened)
        if refusal:
            opened.refuse(refusal)
        else:
            opened.reply.add_done_callback(lambda _: self._forget(opened))
            pass_on(opened)
        return opened.reply

    def _take(self, opened: OpenRequest) -> str:
        """Keep a request, or say why it is refused; the caller holds `_lock`."""
        share = sum(each.asker is opened.asker for each in self._open)
        refusal = self._refusal or (TOO_MANY if share >= MAX_OPEN else "")
        if not refusal:
            self._open.add(opened)
        return refusal

    def accept(self) -> None:
        """Take requests from now on."""
        with self._lock:
            self._refusal = ""

    def refuse_all(self, reason: str, new: bool = True) -> None:
        """Refuse what is open, and with `new` what is asked from now on."""
        with self._lock:
            if new:
                self._refusal = reason
            refused = list(self._open)
        for opened in refused:
            opened.refuse(reason)

    def _forget(self, opened: OpenRequest) -> None:
        with self._lock:
            self._open.discard(opened)


Answer = Callable[[OpenRequest], Iterable[None]]
"""Works on a request a little at a time, and answers it."""

Load = Callable[[], Answer]
"""Makes what answers requests; raises InputError where it cannot be made."""


class AnsweringThread:
    """Answers one request after the other in a thread of its own, and loads what that takes when first asked."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._queue: queue.SimpleQueue[OpenRequest] = queue.SimpleQueue()
        self._answer: Answer | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        """Held while the thread is started, as any thread may ask first."""

    def put(self, opened: OpenRequest) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
                self._thread.start()
        self._queue.put(opened)

    def _run(self) -> None:
        while True:
            opened = self._queue.get()
            try:
                self._work_on(opened)
            except InputError as error:
                opened.refuse(str(error))
            except Exception as error:
                opened.refuse(f"It could not be answered ({type(error).__name__}: {error}).")

    def _work_on(self, opened: OpenRequest) -> None:
        if not opened.given_up:
            self._answer = self._answer or self._load()
            for _ in self._answer(opened):
                pass
