"""The local session: the trainer in a thread of this process. Importing it loads no torch; running it does."""

import glob
import os
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from tui_trainer.config import STANDARD_INPUT, Config, InputError
from tui_trainer.corpus.sources import corpus_label, find_sources
from tui_trainer.history.journal_index import INDEX
from tui_trainer.run import index, journal
from tui_trainer.run.commands import Command
from tui_trainer.run.directory import CONFIG, RunDirectory, cannot_write, check_name, check_root, runs_root
from tui_trainer.run.events import ENDED, Alert, CheckpointSaved, Event, Stage, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal_writer import JournalWriter, missing_steps
from tui_trainer.run.lock import LOCK_FILE, RunLock
from tui_trainer.run.other_runs import enter_index, look_for_others
from tui_trainer.run.relocation import DirectoryMonitor
from tui_trainer.sessions.attendance import Attendance
from tui_trainer.sessions.base import Joined, Outcome, Session
from tui_trainer.sessions.control.server import ControlServer
from tui_trainer.sessions.index_writer import IndexWriter
from tui_trainer.sessions.overview import saved_progress
from tui_trainer.sessions.past import READING, Past
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, PreparationStopped, RunFailedError, out_of_memory
from tui_trainer.training.planning.length import check_steps

if TYPE_CHECKING:
    from tui_trainer.training.trainer import Trainer

TRACEBACK: Final = "traceback.txt"
LOG: Final = "output.log"

OWN_FILES: Final = (journal.JOURNAL, INDEX, LOG, CONFIG, f".{CONFIG}.partial", LOCK_FILE)
"""All that is in the directory of a run that has not begun."""

END_NOT_SAVED: Final = (
    "The last checkpoint could not be saved anew at the end: it has the weights of the last step, but may lack that "
    "the run is finished, and the latest settings."
)

PREPARATION_SECONDS: Final = 0.7
"""How long a run that is being prepared has to end by itself once it is to stop."""

LOOK_SECONDS: Final = 0.05

GIVING_UP: Final = "giving up"


class LocalSession(Session):
    """Trains in the thread that calls `run`, and journals what happens."""

    def __init__(
        self, config: Config, resumed: RunDirectory | None = None, steps: int = 0, again: bool = False
    ) -> None:
        """A new run of `config`, or `resumed` on to `steps` (0: as planned), or for as many steps `again`.

        What can be seen at once to be wrong raises InputError here, before any screen is opened.
        """
        super().__init__()
        _check_working_directory()
        self.directory = resumed
        self._resumed = resumed is not None
        self._steps, self._again = steps, again
        self._command_queue = CommandQueue()
        self.attendance = Attendance()
        self._publishing = threading.RLock()
        """Held while an event goes to the screen and to the journal, so that a viewer can join between two."""
        self._journal: JournalWriter | None = None
        self._index: IndexWriter | None = None
        self._control: ControlServer | None = None
        self._folder: Folder | None = None
        """The run's directory, open from the moment it is trained in to the end."""
        self._directory_monitor: DirectoryMonitor | None = None
        self._run_lock: RunLock | None = None
        self._not_begun = False
        """Whether the directory was made for a run that could then not begin."""
        sources = find_sources(config.data.corpus, binary_ok=config.data.tokenizer == "byte")
        self.label = resumed.name if resumed else corpus_label(sources)
        """What to call the run before it has told."""
        self._config = _with_absolute_paths(config)
        self.root = resumed.path.parent if resumed else runs_root(config.run.runs_dir)
        """Where the run lies, or is going to."""
        if resumed is None:
            check_root(self.root)
            if config.run.name:
                check_name(self.root, config.run.name)

    @classmethod
    def resume(cls, directory: RunDirectory, steps: int = 0, again: bool = False) -> "LocalSession":
        """Take up a run; raises InputError, for too few steps too, rather than when torch has been loaded."""
        check_steps(steps, int(saved_progress(directory).get("step", 0)))
        return cls(directory.read_config(), directory, steps, again)

    @property
    def place(self) -> Path | None:
        return self.directory.path if self.directory else None

    def send(self, command: Command) -> None:
        self.attendance.apply(command)
        self._command_queue.put(command)

    def publish(self, event: Event) -> None:
        with self._publishing:
            self._look_for_directory(event)
            super().publish(event)
            if self._journal is not None and event.journalled:
                self._journal.append(event)

    def _look_for_directory(self, event: Event) -> None:
        """Before an event, tell what has become of the run's directory; at the run's end it is the last chance."""
        if self._directory_monitor is None:
            return
        ending = isinstance(event, StateChanged) and event.state in ENDED
        if message := self._directory_monitor.look(now=ending or isinstance(event, CheckpointSaved)):
            moved = self.folder.locate()
            if moved is not None:
                self.directory = RunDirectory(moved)
                with suppress(OSError):  # it is entered again when the run is resumed
                    index.enter(self.directory)
            severity = "error" if self.folder.deleted else "warning"
            self.publish(Alert(step=event.step, kind="directory", severity=severity, message=message))

    def join(self) -> Joined:
        """Follow the run from now on; raises OSError when it is over."""
        with self._publishing:
            if self._journal is None:
                raise ConnectionError("the run is over")
            now = self.snapshot()
            about = {"state": now.state, "step": now.step, "unattended_since": self.attendance.unattended_since}
            return Joined(self._journal.size, self._journal.waiting(), self.subscribe(), about)

    def _close_journal(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None
        with self._publishing:
            lacking = self._journal.close() if self._journal is not None else ""
            self._journal = None
        if self.outcome is not None:
            self.outcome = replace(self.outcome, warning="\n".join(filter(None, (self.outcome.warning, lacking))))

    def run(self) -> None:
        try:
            self.outcome = self._run()
        finally:
            if self._control is not None:
                self._control.close()
            self._close_journal()
            if self._not_begun and self.directory is not None:
                self._remove_directory(self.directory)
            self._directory_monitor = None
            held, self._run_lock, self._folder = (self._run_lock, self._folder), None, None
            for each in held:
                if each is not None:
                    each.close()

    def _run(self) -> Outcome:
        try:
            return self._train()
        except PreparationStopped:
            return Outcome()
        except InputError as error:
            return Outcome(2, str(error))
        except Exception as error:
            return self._fail(error)

    def _train(self) -> Outcome:
        with self._given_up_when_stopped():
            trainer = self._prepare()
        trainer.run()
        return Outcome() if trainer.fully_saved else Outcome(1, warning=END_NOT_SAVED)

    def _prepare(self) -> "Trainer":
        if self._resumed:
            self._take_lock(self.directory_of_run)
            self._load_history()
        self.publish(Stage(stage="loading torch"))
        # Here and not above, so that a screen can be painted first.
        from tui_trainer.training.preparation import Preparation

        preparation = Preparation(self._command_queue, self.publish)
        if self._resumed:
            return preparation.resumed(self._config, self.folder, self._steps, self._again, self._open)
        try:
            return preparation.new(self._config, self._open)
        except InputError:
            self._not_begun = True
            raise

    def _remove_directory(self, directory: RunDirectory) -> None:
        """Free the name of a run that could not begin; what is not of this program stays, and so does its directory."""
        with suppress(OSError):
            if self._run_lock is not None:  # else another process may train there
                for name in OWN_FILES:
                    self.folder.remove(name)
            directory.path.rmdir()

    @contextmanager
    def _given_up_when_stopped(self) -> Iterator[None]:
        """Within it nothing is trained yet, and much cannot be interrupted: a stop need not wait for it."""
        done = threading.Event()
        threading.Thread(target=self._give_up_when_stopped, args=(done,), name=GIVING_UP, daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def _give_up_when_stopped(self, done: threading.Event) -> None:
        """In a thread of its own. It polls, as a stop may come from a signal's handler, which must take no lock."""
        while not (self._command_queue.stopping or done.wait(LOOK_SECONDS)):
            pass
        if not done.wait(PREPARATION_SECONDS):
            self.outcome = Outcome()
            self.given_up = True

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

    def _load_history(self, resumed_at: int | None = None) -> None:
        """Show a resumed run's past: that before step `resumed_at`, where it is known that it goes on from there."""
        past = Past(self.folder)
        try:
            for done, total in past.read(resumed_at=resumed_at):
                if self._command_queue.stopping:
                    raise PreparationStopped
                self.publish(Stage(stage=READING, done=done, total=total))
        except FileNotFoundError:
            return
        except OSError as error:
            raise cannot_write(self.folder.path, error) from error
        past.write_index()
        past.state.apply(StateChanged(state="loading"))
        self.replace_state(past.state)

    def _take_lock(self, directory: RunDirectory) -> None:
        try:
            self._folder = directory.open_to_train()
            self._run_lock = RunLock(self._folder)
        except OSError as error:
            raise cannot_write(directory.path, error) from error

    def _open(self, directory: RunDirectory, step: int) -> Folder:
        """The run's directory is there, and the trainer stands at `step`: journal what happens, and let viewers in.

        Returns the directory, open to write into it.
        """
        self.directory = directory
        if not self._resumed:
            self._take_lock(directory)
        elif self.snapshot().step > step:
            # A run that was killed had gone on from its checkpoint: those steps are taken again.
            self._load_history(resumed_at=step)
        last = self.snapshot().step
        with self._publishing:
            self._directory_monitor = DirectoryMonitor(self.folder)
            self._journal = JournalWriter(journal.Journal(self.folder), self._publishing, self.publish)
        self._index = IndexWriter(self.folder)
        if last < step:
            self.publish(missing_steps(last + 1, step, step, "the trainer ended before it had written them"))
        try:
            self._control = ControlServer(self.folder, self.join, self.unsubscribe, self.send)
        except OSError as error:
            message = f"No other terminal can attach to this run ({error.strerror or error})."
            self.publish(Alert(step=step, kind="control", severity="warning", message=message))
        for alert in enter_index(directory, step):
            self.publish(alert)
        with suppress(RuntimeError):  # the system has no thread left: the run goes on all the same
            threading.Thread(target=self._report_other_runs, args=[directory], name="other runs", daemon=True).start()
        return self.folder

    def _report_other_runs(self, directory: RunDirectory) -> None:
        """In a thread of its own: the disk of another run may not answer, which must not hold training up."""
        with suppress(OSError, InputError):
            for alert in look_for_others(directory):
                with self._publishing:
                    if self._journal is not None:
                        self.publish(replace(alert, step=self.snapshot().step))

    def _fail(self, error: Exception) -> Outcome:
        """Tell why, keep the traceback in the run directory, and wait until the user has read it."""
        reason = _sentence(error)
        if self._folder is not None:
            # A full disk may be what went wrong: the reason is told all the same.
            with suppress(OSError):
                self._folder.replace(TRACEBACK, traceback.format_exc().encode(errors="backslashreplace"))
                reason += f" Details are in {self._folder.path / TRACEBACK}."
        self.publish(StateChanged(step=self.snapshot().step, state="failed", reason=reason))
        while not self._command_queue.stopping:
            for _ in self._command_queue.take(wait=True):
                pass
        return Outcome(1, reason)


def _sentence(error: Exception) -> str:
    if out_of_memory(error):
        return NOT_ENOUGH_MEMORY
    if isinstance(error, RunFailedError):
        return str(error)
    return f"{type(error).__name__}: {error}."


def _check_working_directory() -> None:
    """Raises InputError where it was deleted: libraries that calculate end the process for want of it."""
    try:
        Path.cwd()
    except OSError as error:
        message = "The directory that you are in was deleted, or cannot be read: change to another one (cd)."
        raise InputError(message) from error


def _with_absolute_paths(config: Config) -> Config:
    """So that the run can be resumed from any directory."""
    return config.update(corpus=tuple(map(_absolute, config.data.corpus)))


def _absolute(place: str) -> str:
    if place == STANDARD_INPUT:
        return place
    if os.path.lexists(place):
        return str(Path(place).absolute())
    # A pattern: the directory before it is to be taken as it is, brackets and all.
    return str(Path(glob.escape(str(Path.cwd())), place))
