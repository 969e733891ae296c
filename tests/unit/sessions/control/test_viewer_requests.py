"""The requests of one viewer: they end with it."""

from concurrent.futures import Future

from tui_trainer.run.requests import Reply, Request
from tui_trainer.sessions.control.viewer_requests import ViewerRequests

MESSAGE = {"request": "sample", "id": "1", "prompt": "The"}


def test_what_is_open_is_cancelled_when_the_viewer_goes() -> None:
    asked: list[Future[Reply]] = []

    def ask(request: Request) -> Future[Reply]:
        asked.append(Future())
        return asked[-1]

    requests = ViewerRequests(ask)
    requests.take(MESSAGE)
    assert not asked[0].cancelled()
    requests.give_up()
    assert asked[0].cancelled()
    assert requests.replies() == b""


def test_what_is_taken_as_the_viewer_goes_is_cancelled_too() -> None:
    reply: Future[Reply] = Future()

    def go_and_ask(request: Request) -> Future[Reply]:
        requests.give_up()
        return reply

    requests = ViewerRequests(go_and_ask)
    requests.take(MESSAGE)
    assert reply.cancelled()
