"""The seam between a run and whatever shows it: a session gives events and takes commands."""

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui_trainer.history.detail import Detail
from tui_trainer.run.commands import Command
from tui_trainer.run.events import Event, Sample
from tui_trainer.run.requests import Reply, Request
from tui_trainer.sessions.detail import load_detail
from tui_trainer.sessions.playback import Playback
from tui_trainer.sessions.requests import refuse
from tui_trainer.state.absence import Absence
from tui_trainer.state.run_state import RunState
from tui_trainer.state.samples import compared_samples
from tui_trainer.state.snapshot import Snapshot

QUEUE_LIMIT: Final = 10_000
"""Events that may wait for a slow subscriber before droppable ones are left out."""

WAIT_SECONDS: Final = 0.1
"""How often to look whether the session was given up, while its end is waited for."""

EventQueue = queue.SimpleQueue[Event]


@dataclass(frozen=True)
class Joined:
    """What a new viewer needs: every event is in exactly one of the three, in this order."""

    size: int
    """Bytes of the journal that have the events of the past, but for those that wait to be written."""
    waiting: list[Event]
    events: EventQueue
    """All that are to come."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """State, step and the rest of the greeting."""


@dataclass(frozen=True)
class Outcome:
    """How a session ended. `error` is a sentence for the user; `status` is the exit status it calls for."""

    status: int = 0
    error: str = ""
    warning: str = ""
    """What else the user has to know of it."""


class Session(ABC):
    """A run as a front end sees it. `run` blocks in its own thread; the rest may be called from any thread."""

    read_only_reason: str = ""
    """Why commands do nothing; empty when they do."""

    is_attached: bool = False
    """Whether the run is trained by another process."""

    is_recording: bool = False
    """Whether the run has no trainer, and is read from its journal."""

    playback: Playback | None = None
    """What plays a recording; None while that is read, where it has no step, and of a run that is trained."""

    missed: Absence | None = None
    """What happened while no viewer was attached, until this session was; None if there was one."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        """Set once `run` has returned, or has been given up."""
        self.given_up = False
        """Whether the session is over although its thread still does work that only the end of the process stops."""
        self._state = RunState()
        self._applying = threading.Lock()
        """Held while an event is applied: one thread at a time writes the history, which others read without a lock."""
        self._lock = threading.Lock()
        """Held while the state changes, but for its history, or is read; within `_applying`."""
        self._thread: threading.Thread | None = None
        self._subscribers: list[EventQueue] = []

    @abstractmethod
    def run(self) -> None:
        """Carry the session from its beginning to its end; never raises."""

    def start(self) -> None:
        """Run in a thread of its own, unless it does already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run_guarded, name="session")
            self._thread.start()

    def _run_guarded(self) -> None:
        try:
            self.run()
        except Exception as error:
            self.outcome = Outcome(1, f"The run ended unexpectedly: {error!r}.")

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self.given_up

    def wait(self) -> None:
        """Wait until the session has ended."""
        while self._thread is not None and self.alive:
            self._thread.join(WAIT_SECONDS)

    @abstractmethod
    def send(self, command: Command) -> None:
        """Ask something of the run; may wait for a socket to take it, which a viewer bounds to half a second."""

    def request(self, request: Request) -> Future[Reply]:
        """Ask something of the model; the reply, or the refusal, comes later and to the caller alone.

        May wait for a socket to take it, as `send` may.
        """
        return refuse(request)

    def detail(self, first: int, last: int) -> Future[Detail]:
        """Every step from `first` to `last`, where the history has less; returns at once, and may fail with OSError."""
        return load_detail(self.run_path, first, last)

    @property
    def run_path(self) -> Path | None:
        """Where the run's directory lies now; None while there is none, or it is not known."""
        return None

    def leave(self) -> None:  # noqa: B027
        """The front end is closing: a session with a trainer continues, a viewer's session ends."""

    @property
    def version(self) -> int:
        """Grows with every event."""
        return self._state.version

    def snapshot(self) -> Snapshot:
        with self._lock:
            return self._state.snapshot()

    def compared_samples(self) -> tuple[Sample, ...]:
        """The samples that show what was learned, as `state.samples` chooses them."""
        with self._lock:
            return compared_samples(self._state.snapshot().samples, self._state.first_samples)

    def subscribe(self) -> EventQueue:
        """A queue of every event from now on."""
        events: EventQueue = queue.SimpleQueue()
        self._subscribers.append(events)
        return events

    def unsubscribe(self, events: EventQueue) -> None:
        """Put nothing more into a queue that `subscribe` returned."""
        self._subscribers.remove(events)

    def replace_state(self, state: RunState) -> None:
        """Show a state in place of what was shown so far; nothing else may change it from now on.

        Snapshots show it; subscribers get no event of it.
        """
        with self._applying, self._lock:
            state.version += self._state.version
            self._state = state

    def publish(self, event: Event) -> None:
        """Apply an event to the state and put it into the queues of the subscribers; any thread may call it."""
        with self._applying:
            self._state.record(event)
            with self._lock:
                self._state.show(event)
        for events in list(self._subscribers):
            if events.qsize() < QUEUE_LIMIT or not event.droppable:
                events.put(event)
