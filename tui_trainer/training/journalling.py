"""A session that writes a run's directory: events go to the screen, the journal and the viewers."""

import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from tui_trainer.config import InputError
from tui_trainer.run import alerts, journal, run_index
from tui_trainer.run.alerts import Severity
from tui_trainer.run.directory import RunDirectory, cannot_write
from tui_trainer.run.events import ENDED, CheckpointSaved, Event, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal_writer import JournalWriter, missing_steps
from tui_trainer.run.lock import RunLock
from tui_trainer.run.other_runs import add_to_index, look_for_others
from tui_trainer.run.relocation import DirectoryMonitor
from tui_trainer.run.requests import REQUESTS, Reply, Request
from tui_trainer.sessions.attendance import Attendance
from tui_trainer.sessions.base import Joined, Session
from tui_trainer.sessions.control.server import ControlServer
from tui_trainer.sessions.index_writer import IndexWriter
from tui_trainer.sessions.journal_reader import JournalReader
from tui_trainer.sessions.requests import refuse

LOG: Final = "output.log"


class JournalledSession(Session):
    """Holds the run's lock, writes its journal, follows its directory when that is moved, and serves viewers."""

    def __init__(self, directory: RunDirectory | None) -> None:
        super().__init__()
        self.directory = directory
        self.attendance = Attendance()
        self._publishing = threading.RLock()
        """Held while an event is applied to the state and journalled, so that a viewer joins between two events."""
        self._journal: JournalWriter | None = None
        self._reader: JournalReader | None = None
        """What was read of a run that is resumed."""
        self._index: IndexWriter | None = None
        self._control: ControlServer | None = None
        self._folder: Folder | None = None
        """The run's directory, open from the moment it is trained in to the end."""
        self._directory_monitor: DirectoryMonitor | None = None
        self._run_lock: RunLock | None = None

    @property
    def run_path(self) -> Path | None:
        return self.directory.path if self.directory else None

    @property
    def directory_of_run(self) -> RunDirectory:
        assert self.directory is not None
        return self.directory

    @property
    def folder(self) -> Folder:
        """The run's directory, open while this session trains in it."""
        assert self._folder is not None
        return self._folder

    def open_log(self) -> BinaryIO:
        """The file for what a trainer without a terminal prints; raises OSError, also before the run and after it."""
        folder = self._folder  # the thread that trains closes it
        if folder is None:
            raise FileNotFoundError("The run's directory is not open.")
        return folder.open_to_append(LOG)

    # -- what happens -----------------------------------------------------------------------------------------------

    def publish(self, event: Event) -> None:
        with self._publishing:
            self._look_for_directory(event)
            if self._index is not None:
                self._index.before_event(event)
            super().publish(event)
            if self._journal is not None and event.journalled:
                self._journal.append(event)

    def _look_for_directory(self, event: Event) -> None:
        """Before an event, publish an alert if the run's directory was moved or deleted; always at the run's end."""
        if self._directory_monitor is None:
            return
        ending = isinstance(event, StateChanged) and event.state in ENDED
        if message := self._directory_monitor.look(now=ending or isinstance(event, CheckpointSaved)):
            moved = self.folder.locate()
            if moved is not None:
                self.directory = RunDirectory(moved)
                with suppress(RuntimeError):  # the system has no thread left
                    threading.Thread(target=_add_to_index, args=[self.directory], name="index", daemon=True).start()
            severity = Severity.ERROR if self.folder.deleted else Severity.WARNING
            self.publish(alerts.directory(event.step, message, severity))

    def join(self) -> Joined:
        """Follow the run from now on; raises OSError when it is over."""
        with self._publishing:
            if self._journal is None:
                raise ConnectionError("the run is over")
            now = self.snapshot()
            about: dict[str, Any] = {
                "state": now.state,
                "step": now.step,
                "unattended_since": self.attendance.unattended_since,
            }
            about["requests"] = list(REQUESTS)
            return Joined(self._journal.size, self._journal.waiting(), self.subscribe(), about)

    def request_of(self, request: Request, asker: object) -> Future[Reply]:
        """As `request`, for one of several who ask."""
        return refuse(request)

    # -- from beginning to end --------------------------------------------------------------------------------------

    def take_lock(self, directory: RunDirectory) -> None:
        """Open the directory to train in it; raises InputError where that cannot be done, or another trains there."""
        try:
            self._folder = directory.open_to_train()
            self._run_lock = RunLock(self._folder)
        except OSError as error:
            raise cannot_write(directory.path, error) from error

    @property
    def locked(self) -> bool:
        """Whether the directory is this session's to write."""
        return self._run_lock is not None

    def open_journal(self, step: int) -> None:
        """Journal events from now on, and open the control socket; the trainer starts at `step`. Raises OSError."""
        last = self.snapshot().step
        with self._publishing:
            self._directory_monitor = DirectoryMonitor(self.folder)
            self._journal = JournalWriter(journal.Journal(self.folder), self._publishing, self.publish)
            reader = self._reader or JournalReader(self.folder, state=self._state)
            self._index = IndexWriter(reader, self._journal.next_offset)
        if last < step:
            self.publish(missing_steps(last + 1, step, step, "the trainer ended before it had written them"))
        try:
            self._control = ControlServer(self.folder, self.join, self.unsubscribe, self.send, self.request_of)
        except OSError as error:
            self.publish(alerts.control(step, f"No other terminal can attach to this run ({error.strerror or error})."))

    def look_for_other_runs(self, directory: RunDirectory, step: int) -> None:
        """Enter the run in the user's list of runs, and warn of others that are live."""
        for alert in add_to_index(directory, step):
            self.publish(alert)
        with suppress(RuntimeError):  # the system has no thread left: the run continues without it
            threading.Thread(target=self._report_other_runs, args=[directory], name="other runs", daemon=True).start()

    def _report_other_runs(self, directory: RunDirectory) -> None:
        """In a thread of its own: the disk of another run may not answer, which must not hold training up."""
        with suppress(OSError, InputError):
            for alert in look_for_others(directory):
                with self._publishing:
                    if self._journal is not None:
                        self.publish(replace(alert, step=self.snapshot().step))

    def close_journal(self) -> str:
        """Disconnect viewers, and write waiting events; what the journal lacks, in a sentence, or nothing."""
        if self._control is not None:
            self._control.close()
        with self._publishing:
            lacking = self._journal.close() if self._journal is not None else ""
            self._journal = None
        if self._index is not None:
            self._index.close()
            self._index = None
        return lacking

    def release(self) -> None:
        """Close the directory and release its lock."""
        self._directory_monitor = None
        held, self._run_lock, self._folder = (self._run_lock, self._folder), None, None
        for each in held:
            if each is not None:
                each.close()


def _add_to_index(run: RunDirectory) -> None:
    """In a thread of its own: the disk of the home directory may not answer, which must not hold training up."""
    with suppress(OSError):  # it is added again when the run is resumed
        run_index.add_run(run)
