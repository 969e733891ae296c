"""A run cut at every place between two moments, as a kill or a power cut would."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.helpers import ScriptedSession
from tui_trainer.run.commands import Command, SaveCheckpoint
from tui_trainer.run.events import Evaluation, Event, Step
from tui_trainer.run.journal import Journal


class Cuts:
    """Copies the run's directory before everything that changes it, once the run has taken `last` steps.

    A killed process leaves on the disk what it had handed to the system, which is what such a copy holds. With `save`
    a person asks for a checkpoint once the end has been evaluated. The copies end with the event that `ends` names,
    or with the process.
    """

    def __init__(
        self,
        place: Path,
        last: int,
        save: bool,
        monkeypatch: pytest.MonkeyPatch,
        ends: Callable[[Event], bool] = lambda event: False,
    ) -> None:
        self._place, self._last, self._save, self._ends = place, last, save, ends
        self._session: ScriptedSession | None = None
        self._over = False
        self._lock = threading.RLock()
        """Held by the trainer's thread and the checkpoints' while they change something, so a copy is of one moment."""
        self._found: dict[tuple[tuple[str, bytes], ...], Path] = {}
        # Every file is made, synced, renamed and removed through these, by a path or relative to an open directory.
        changes = os.open, os.fsync, os.mkdir, os.rename, os.replace, os.unlink, os.remove, os.rmdir, os.ftruncate
        for function in changes:
            monkeypatch.setattr(os, function.__name__, self._watched(function))
        monkeypatch.setattr(Journal, "append", self._watched(Journal.append))

    def run(self, session: ScriptedSession) -> list[Path]:
        """Carry the session to its end; the copies, each of another state of the directory, in order."""
        self._session = session
        session.react = self._notice_last_step
        session.run()
        with self._lock:
            if self._over:
                self._copy()
        return list(self._found.values())

    def _notice_last_step(self, event: Event) -> Command | None:
        with self._lock:  # while the other thread copies, `_over` is not what it was
            self._over = self._over or (isinstance(event, Step) and event.step == self._last)
            if self._over and self._ends(event):
                self._copy()
                self._over = False
        at_end = isinstance(event, Evaluation) and event.step == self._last
        return SaveCheckpoint() if at_end and self._save else None

    def _watched(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def copy_and_change(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                if self._over:
                    self._copy()
                return change(*arguments, **options)

        return copy_and_change

    def _copy(self) -> None:
        assert self._session is not None
        run, self._over = self._session.directory_of_run.path, False  # copying is no change of the run
        state = tuple(sorted(set(_contents(run))))
        if state not in self._found:
            self._found[state] = self._place / f"cut-{len(self._found)}"
            shutil.copytree(run, self._found[state], ignore=shutil.ignore_patterns("*.sock"))
        self._over = True


def _contents(run: Path) -> Iterator[tuple[str, bytes]]:
    """Of what is being written only the names, of what is being removed only that it is: no more of it is ever read."""
    for path in run.rglob("*"):
        name = str(path.relative_to(run))
        if ".removed-" in name:
            yield name.partition(".removed-")[0], b"being removed"
        elif path.is_file():
            yield name, b"" if ".partial" in name else path.read_bytes()
