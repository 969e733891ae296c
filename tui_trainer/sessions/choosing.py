"""Which run is resumed when none is named: asks the trainers of live runs whether they are paused."""

from contextlib import suppress
from pathlib import Path

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory, runs_in
from tui_trainer.run.finding import find_run, known_runs, paths
from tui_trainer.run.lock import is_locked
from tui_trainer.sessions.overview import overview


def find_run_to_resume(name: str, root: Path) -> RunDirectory:
    """As `find_run`; when `name` is empty, a live run that is paused comes first. Raises InputError."""
    if not name:
        paused = list(filter(_is_paused, runs_in(root) or known_runs(root)))
        if len(paused) > 1:
            raise InputError(f"Several runs are paused, so name one: {paths(paused)}.")
        if paused:
            return paused[0]
    return find_run(name, root)


def _is_paused(run: RunDirectory) -> bool:
    with suppress(InputError):  # its configuration cannot be read
        return is_locked(run) and overview(run).state == "paused"
    return False
