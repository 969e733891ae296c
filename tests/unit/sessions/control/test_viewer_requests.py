"""The requests of one viewer: they end with it."""

from concurrent.futures import Future

from tui_trainer.run.requests import Reply, Request
from tui_trainer.sessions.control.viewer_requests import ViewerRequests
from tui_trainer.sessions.requests import MAX_OPEN, TOO_MANY, OpenRequests

MESSAGE = {"request": "sample", "id": "1", "prompt": "The"}


def test_what_is_open_is_cancelled_when_the_viewer_goes() -> None:
    asked: list[Future[Reply]] = []

    def ask(request: Request, asker: object) -> Future[Reply]:
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

    def go_and_ask(request: Request, asker: object) -> Future[Reply]:
        requests.give_up()
        return reply

    requests = ViewerRequests(go_and_ask)
    requests.take(MESSAGE)
    assert reply.cancelled()


def test_each_viewer_has_a_share_of_its_own() -> None:
    open_requests = OpenRequests()
    greedy, modest = (
        ViewerRequests(lambda request, asker: open_requests.ask(request, lambda opened: None, asker)) for _ in "12"
    )
    for number in range(MAX_OPEN + 1):
        greedy.take({**MESSAGE, "id": str(number)})
    assert TOO_MANY.encode() in greedy.replies()
    modest.take(MESSAGE)
    assert modest.replies() == b""
