"""A session that is watched from a thread of its own."""

import threading
from collections.abc import Callable

from tests.waiting import TIMEOUT, arriving, until
from tui_trainer.run.events import Event, StateChanged
from tui_trainer.sessions.base import Session


class Watching:
    """A session in a thread of its own."""

    def __init__(self, session: Session) -> None:
        self.session, self.events = session, session.subscribe()
        self._thread = threading.Thread(target=session.run, daemon=True)
        self._thread.start()

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        return next(filter(wanted, arriving(self.events)))

    def wait_for_state(self, name: str) -> Event:
        return self.wait_for(lambda event: isinstance(event, StateChanged) and event.state == name)

    def ends(self) -> bool:
        self._thread.join(TIMEOUT)
        return not self._thread.is_alive()


# -- a recording ---------------------------------------------------------------------------------------------------


def until_told(session: Session) -> Watching:
    watching = Watching(session)
    until(lambda: session.snapshot().step, "the first step")
    return watching
