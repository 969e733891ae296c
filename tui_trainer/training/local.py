"""The local session: the trainer in a thread of this process. Importing it loads no torch; running it does."""

import threading
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_trainer.config import Config, InputError
from tui_trainer.corpus.sources import corpus_label, find_sources
from tui_trainer.history.journal_index import INDEX
from tui_trainer.run import journal
from tui_trainer.run.commands import Command
from tui_trainer.run.directory import CONFIG, RunDirectory, cannot_write, check_name, check_root, runs_root
from tui_trainer.run.events import Stage, StateChanged
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import Start
from tui_trainer.run.lock import LOCK_FILE
from tui_trainer.run.requests import Reply, Request
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.base import Outcome
from tui_trainer.sessions.journal_reader import READING, JournalReader
from tui_trainer.sessions.overview import saved_progress
from tui_trainer.sessions.requests import OpenRequests
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, PreparationStopped, RunFailedError, out_of_memory
from tui_trainer.training.journalling import LOG, JournalledSession
from tui_trainer.training.paths import check_working_directory, with_absolute_paths
from tui_trainer.training.planning.length import check_steps

if TYPE_CHECKING:
    from tui_trainer.training.trainer import Trainer

TRACEBACK: Final = "traceback.txt"

OWN_FILES: Final = (journal.JOURNAL, INDEX, LOG, CONFIG, f".{CONFIG}.partial", LOCK_FILE)
"""All that is in the directory of a run that has not begun."""

END_NOT_SAVED: Final = (
    "The last checkpoint could not be saved anew at the end: it has the weights of the last step, but may lack that "
    "the run is finished, and the latest settings."
)

PREPARATION_SECONDS: Final = 0.7
"""How long a run that is being prepared has to end by itself once it is to stop."""

LOOK_SECONDS: Final = 0.05

LOADING: Final = "The run is being prepared: ask again once it trains."
OVER: Final = "The run is over, and its model with it: look at it with replay."

GIVING_UP: Final = "giving up"


class LocalSession(JournalledSession):
    """Trains in the thread that calls `run`; the other methods may be called from any thread."""

    def __init__(
        self, config: Config, resumed: RunDirectory | None = None, steps: int | None = None, again: bool = False
    ) -> None:
        """A new run of `config`, or `resumed` on to `steps` (None: as planned), or for as many steps `again`.

        What can be seen at once to be wrong raises InputError here, before any screen is opened.
        """
        super().__init__(resumed)
        check_working_directory()
        self._resumed = resumed is not None
        self._steps, self._again = steps, again
        self._command_queue = CommandQueue()
        self._requests = OpenRequests(LOADING)
        self._not_begun = False
        """Whether the directory was made for a run that could then not begin."""
        sources = find_sources(config.data.corpus, binary_ok=config.data.tokenizer == "byte")
        self.label = resumed.name if resumed else corpus_label(sources)
        """What to call the run before its `run` event."""
        self._config = with_absolute_paths(config)
        self.root = resumed.path.parent if resumed else runs_root(config.run.runs_dir)
        """Where the run lies, or is going to."""
        if resumed is None:
            check_root(self.root)
            if config.run.name:
                check_name(self.root, config.run.name)

    @classmethod
    def resume(cls, directory: RunDirectory, steps: int | None = None, again: bool = False) -> "LocalSession":
        """Take up a run; raises InputError, for too few steps too, before any screen is opened."""
        config = directory.read_config()
        if not config.data.corpus:
            name = visible_line(directory.name)
            raise InputError(f"The config.toml of {name} is empty, or lacks the corpus: restore that file.")
        if steps is not None and steps < saved_progress(directory).get("step", 0):
            check_steps(steps, _steps_taken(directory))
        return cls(config, directory, steps, again)

    def send(self, command: Command) -> None:
        self.attendance.apply(command)
        self._command_queue.put(command)

    def request(self, request: Request) -> Future[Reply]:
        return self.request_of(request, self)

    def request_of(self, request: Request, asker: object) -> Future[Reply]:
        return self._requests.ask(request, self._command_queue.put_request, asker)

    def run(self) -> None:
        try:
            self.outcome = self._run()
        finally:
            lacking = self.close_journal()
            if self.outcome is not None:
                self.outcome = replace(self.outcome, warning="\n".join(filter(None, (self.outcome.warning, lacking))))
            if self._not_begun and self.directory is not None:
                self._remove_directory(self.directory)
            self.release()

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
        self._requests.accept()
        try:
            trainer.run()
        finally:
            self._requests.refuse_all(OVER)
        return Outcome() if trainer.fully_saved else Outcome(1, warning=END_NOT_SAVED)

    def _prepare(self) -> "Trainer":
        if self._resumed:
            self.take_lock(self.directory_of_run)
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
            if self.locked:  # else another process may train there
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

    def _open(self, directory: RunDirectory, start: Start) -> Folder:
        """Called with the run's directory and the step to start from: open the journal and the control socket.

        Returns the directory, open to write into it.
        """
        self.directory = directory
        if not self._resumed:
            self.take_lock(directory)
        elif self.snapshot().step > start.step or (self._reader is not None and self._reader.branch != start.branch):
            # A killed run has steps after its checkpoint in the journal: they are taken again.
            self._load_history([start])
        self.open_journal(start.step)
        self.look_for_other_runs(directory, start.step)
        return self.folder

    def _load_history(self, later: Sequence[Start] = ()) -> None:
        """Show a resumed run's past; `later` is where it will be resumed, once that is known."""
        reader = JournalReader(self.folder)
        try:
            for done, total in reader.read(later=later):
                if self._command_queue.stopping:
                    raise PreparationStopped
                self.publish(Stage(stage=READING, done=done, total=total))
        except FileNotFoundError:
            return
        except OSError as error:
            raise cannot_write(self.folder.path, error) from error
        reader.state.apply(StateChanged(state="loading"))
        self.replace_state(reader.state)
        self._reader = reader

    def _fail(self, error: Exception) -> Outcome:
        """Publish the reason, write the traceback to the run directory, and wait for the user to leave."""
        self._requests.refuse_all(OVER)
        reason = _sentence(error)
        if self._folder is not None:
            # A full disk may be what went wrong: the reason is published all the same.
            with suppress(OSError):
                self._folder.replace(TRACEBACK, traceback.format_exc().encode(errors="backslashreplace"))
                reason += f" Details are in {self._folder.path / TRACEBACK}."
        self.publish(StateChanged(step=self.snapshot().step, state="failed", reason=reason))
        while not self._command_queue.stopping:
            for _ in self._command_queue.take(wait=True):
                pass
        return Outcome(1, reason)


def _steps_taken(run: RunDirectory) -> int:
    """In the newest checkpoint that is whole; loads torch. Raises InputError where there is none."""
    from tui_trainer.training.checkpoints.store import CheckpointStore

    try:
        with run.open() as folder:
            return CheckpointStore(folder, keep=1).newest()[0].progress.step
    except OSError as error:
        raise cannot_write(run.path, error) from error


def _sentence(error: Exception) -> str:
    if out_of_memory(error):
        return NOT_ENOUGH_MEMORY
    if isinstance(error, RunFailedError):
        return str(error)
    return f"{type(error).__name__}: {error}."
