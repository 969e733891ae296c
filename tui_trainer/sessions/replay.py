"""The replay session: a run without a trainer, read from its journal."""

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run import journal
from tui_trainer.run.commands import Command, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED, Event, Stage, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.run.lock import is_locked
from tui_trainer.run.requests import Reply, Request
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.attached import VANISHED
from tui_trainer.sessions.base import Outcome, Session
from tui_trainer.sessions.journal_reader import READING, JournalReader
from tui_trainer.sessions.playback import Playback
from tui_trainer.sessions.requests import NO_MODEL, Answer, AnsweringThread, OpenRequests
from tui_trainer.state.earlier import OtherEvents, as_of
from tui_trainer.state.snapshot import Snapshot

Publish = Callable[[Event], None]

POINTS: Final = 2048
"""Of the times that a recording is played by."""

MOST_EVENTS: Final = 100_000
"""Beside the steps, that are kept in memory: the newest."""


def _refuse(directory: RunDirectory, publish: Publish) -> Answer:
    raise InputError(NO_MODEL)


class ReplaySession(Session):
    """Plays the run as its journal tells it, or shows how that ends; ends when it is left."""

    is_recording = True
    read_only_reason = "This is a recording: resume goes on with the run, q leaves."

    def __init__(
        self,
        directory: RunDirectory,
        load: Callable[[RunDirectory, Publish], Answer] = _refuse,
        played: bool = False,
    ) -> None:
        """Raises InputError when the run is alive, or has no journal.

        `load` makes what answers requests, and publishes what is to be known of it. A recording that is not `played` is
        shown as it ends, from where it can be played.
        """
        super().__init__()
        self._played = played
        self._others: OtherEvents | None = None
        """What the journal tells beside the steps; None until it has been read, which may take seconds."""
        self.directory = directory
        self.label = directory.name
        self._left = threading.Event()
        self._requests = OpenRequests()
        self._answering = AnsweringThread(lambda: load(directory, self.publish))
        name = visible_line(directory.name)
        if is_locked(directory):
            raise InputError(f"The run {name} is being trained: look at it with attach.")
        if not directory.journal.is_file():
            raise InputError(f"The run {name} has no journal: it ended before its first step.")

    @property
    def run_path(self) -> Path:
        return self.directory.path

    def send(self, command: Command) -> None:
        if isinstance(command, Stop):
            self._left.set()

    def request(self, request: Request) -> Future[Reply]:
        return self._requests.ask(request, self._answering.put)

    def leave(self) -> None:
        self._left.set()

    @property
    def version(self) -> int:
        """Grows with every event, and is another one for every step that is played."""
        playback = self.playback  # which the session's thread may set
        return super().version + (playback.version if playback else 0) + (self._others is not None)

    def snapshot(self) -> Snapshot:
        playback, end = self.playback, super().snapshot()
        if playback is None:
            return end
        version = end.version + playback.version + (self._others is not None)
        if playback.at_end:
            return end.changed({"version": version})
        others = self._others or OtherEvents.known_to(end)
        earlier = as_of(end, playback.step, "running" if playback.playing else "paused", others)
        return earlier.changed({"version": version, "playing_speed": playback.speed})

    def run(self) -> None:
        try:
            with self.directory.open() as folder:
                self._load_history(JournalReader(folder), folder)
        except OSError as error:
            self.outcome = Outcome(2, f"The journal of {self.label} cannot be read: {error.strerror}.")
            return
        except InputError as error:
            self.outcome = Outcome(2, str(error))
            return
        last = self.snapshot()
        if last.state not in ENDED and not self._left.is_set():
            self.publish(StateChanged(step=last.step, state="failed", reason=VANISHED))
        if last.step:
            self.playback = Playback(last.history.window("elapsed", 0, last.step, POINTS), last.step, self._played)
            self._read_other_events()
        self._left.wait()
        self.playback = None
        self._requests.refuse_all("The recording was left.")
        self.outcome = Outcome()

    def _read_other_events(self) -> None:
        """Where they cannot be read, the newest ones, which the state has, are those that are shown."""
        events: deque[Event] = deque(maxlen=MOST_EVENTS)
        with suppress(OSError), self.directory.open() as folder:
            for event in journal.beside_steps(folder):
                if self._left.is_set():
                    return
                if event is not None:
                    events.append(event)
            self._others = OtherEvents.of(events)

    def _load_history(self, reader: JournalReader, folder: Folder) -> None:
        """Show the run's past, or what has been read of it when this session is left."""
        for done, total in reader.read():
            if self._left.is_set():
                break
            self.publish(Stage(stage=READING, done=done, total=total))
        self.replace_state(reader.state)
        if folder.owner == os.geteuid():
            reader.write_index()
