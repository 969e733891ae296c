"""The local session: the trainer in a thread of this process. Importing it loads no torch; running it does."""

import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tui_trainer.config import Config, InputError
from tui_trainer.corpus.sources import corpus_label, find_sources
from tui_trainer.run import journal
from tui_trainer.run.commands import Command
from tui_trainer.run.directory import RunDirectory, check_name, check_root, find_run, runs_root
from tui_trainer.run.events import Alert, Event, Stage, StateChanged
from tui_trainer.run.session import Outcome, Session
from tui_trainer.training.inbox import Inbox


class LocalSession(Session):
    """Trains in the thread that calls `run`, and journals what happens."""

    def __init__(self, config: Config, resumed: RunDirectory | None = None, steps: int = 0) -> None:
        """A new run of `config`, or `resumed` on to `steps` (0: as planned).

        What can be seen at once to be wrong raises InputError here, before any screen is opened.
        """
        super().__init__()
        self.directory = resumed
        self._resumed = resumed is not None
        self._steps = steps
        self._inbox = Inbox()
        self._journal: journal.Journal | None = None
        sources = find_sources(config.data.corpus, binary_ok=config.data.tokenizer == "byte")
        self.label = resumed.name if resumed else corpus_label(sources)
        """What to call the run before it has told."""
        self._config = _with_absolute_paths(config)
        if resumed is None:
            root = runs_root(config.run.runs_dir)
            check_root(root)
            if config.run.name:
                check_name(root, config.run.name)

    @classmethod
    def resume(cls, name: str, runs_dir: str, steps: int) -> "LocalSession":
        """Take up the run of that name or path (empty: the latest); raises InputError."""
        directory = find_run(name, runs_root(runs_dir))
        return cls(Config.from_toml(directory.config), directory, steps)

    def send(self, command: Command) -> None:
        self._inbox.put(command)

    def publish(self, event: Event) -> None:
        super().publish(event)
        if self._journal is None or not event.journalled:
            return
        try:
            self._journal.append(event)
        except OSError as error:
            self._journal = None
            message = f"The journal cannot be written any more: {error.strerror or error}."
            super().publish(Alert(step=event.step, kind="journal", severity="error", message=message))

    def run(self) -> None:
        try:
            self.outcome = self._run()
        finally:
            if self._journal is not None:
                self._journal.close()

    def _run(self) -> Outcome:
        try:
            self._recall()
            self.publish(Stage(stage="loading torch"))
            # Here and not above, so that a screen can be painted first.
            from tui_trainer.training.prepare import Preparation, PreparationStopped

            preparation = Preparation(self._inbox, self.publish)
            try:
                if self._resumed and self.directory:
                    trainer = preparation.resumed(self._config, self.directory, self._steps, self._open_journal)
                else:
                    trainer = preparation.new(self._config, self._open_journal)
            except PreparationStopped:
                return Outcome()
            trainer.run()
            return Outcome()
        except InputError as error:
            return Outcome(2, str(error))
        except Exception as error:
            return self._fail(error)

    def _recall(self) -> None:
        """Show a resumed run's past."""
        if self._resumed and self.directory and self.directory.journal.exists():
            for event in journal.read(self.directory.journal):
                self.recall(event)
            self.recall(StateChanged(state="loading"))

    def _open_journal(self, directory: RunDirectory) -> None:
        self.directory = directory
        self._journal = journal.Journal(directory.journal)

    def _fail(self, error: Exception) -> Outcome:
        """Tell why, keep the traceback in the run directory, and wait until the user has read it."""
        reason = _sentence(error)
        if self.directory is not None:
            where = self.directory.traceback
            # A full disk may be what went wrong: the reason is told all the same.
            with suppress(OSError):
                where.write_text(traceback.format_exc(), encoding="utf-8", errors="backslashreplace")
                reason += f" Details are in {where}."
        self.publish(StateChanged(step=self.snapshot().step, state="failed", reason=reason))
        while not self._inbox.stopping:
            for _ in self._inbox.take_all(wait=True):
                pass
        return Outcome(1, reason)


def _sentence(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return "The device ran out of memory: use a smaller --batch-size or --context."
    if type(error).__name__ == "DivergedError":
        return str(error)
    return f"{type(error).__name__}: {error}."


def _with_absolute_paths(config: Config) -> Config:
    """So that the run can be resumed from any directory."""
    corpus = tuple(place if place == "-" else str(Path(place).absolute()) for place in config.data.corpus)
    return replace(config, data=replace(config.data, corpus=corpus))
