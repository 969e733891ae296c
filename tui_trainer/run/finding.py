"""Finds runs by name or path: in the root, and elsewhere through the index."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory, is_run, runs_in
from tui_trainer.run.lock import is_locked
from tui_trainer.run.run_index import indexed_runs
from tui_trainer.run.text import visible_line


def known_runs(root: Path) -> list[RunDirectory]:
    """The runs in `root`, then those of the index that are elsewhere; raises InputError for an unreadable `root`."""
    runs = runs_in(root)
    here = {run.path.resolve() for run in runs}
    return runs + [run for run in indexed_runs() if run.path.resolve() not in here]


def find_run(
    name: str, root: Path, preferred: Callable[[RunDirectory], bool] = RunDirectory.has_checkpoint
) -> RunDirectory:
    """The run of that name or path; raises InputError if there is none, or several.

    Searches `root`, then the path, then the index. With an empty `name` it is the run that changed last: of the
    preferred in `root`, else of the preferred elsewhere, else of those in `root`, else of all.
    """
    if not name:
        return _latest(root, preferred)
    for path in (root / name, Path(name)):
        if is_run(path):
            # The path may be "." or end in "..", which is no name to show.
            return RunDirectory(path if path.name == name else path.resolve())
    elsewhere = [run for run in indexed_runs() if run.name == name]
    found = list(filter(preferred, elsewhere)) or elsewhere
    if len(found) > 1:
        raise InputError(f"Several runs are named {visible_line(name)}: give the path of one of {paths(found)}.")
    if not found:
        runs_in(root)  # raises InputError if `root` cannot be read
        place = visible_line(str(root))
        raise InputError(f"{visible_line(name)} is not a run: it is neither in {place} nor a run's path.")
    return found[0]


def find_live_run(name: str, root: Path) -> RunDirectory:
    """The live run of that name or path, or the only live one without a name; raises InputError."""
    if name:
        run = find_run(name, root, is_locked)
        if not is_locked(run):
            raise InputError(f"The run {visible_line(run.name)} is not being trained: resume goes on with it.")
        return run
    live = live_runs(root)
    if len(live) > 1:
        raise InputError(f"Several runs are being trained, so name one: {paths(live)}.")
    if not live:
        raise InputError("No run is being trained; a new one can be reached from its first step on.")
    return live[0]


def live_runs(root: Path) -> list[RunDirectory]:
    """The known runs that a trainer holds the lock of; raises InputError."""
    return list(filter(is_locked, known_runs(root)))


def paths(runs: Iterable[RunDirectory]) -> str:
    return ", ".join(visible_line(str(run.path)) for run in runs)


def _latest(root: Path, preferred: Callable[[RunDirectory], bool]) -> RunDirectory:
    here, known = runs_in(root), known_runs(root)
    if not known:
        raise InputError(f"There is no run in {visible_line(str(root))}: train one, or name another --runs-dir.")
    choices = (filter(preferred, here), filter(preferred, known), here, known)
    return max(next(found for found in map(list, choices) if found), key=last_change)


def last_change(run: RunDirectory) -> float:
    """When the journal last changed, in Unix seconds; 0 if the run was removed."""
    try:
        return (run.journal if run.journal.exists() else run.path).stat().st_mtime
    except OSError:  # it has just been removed
        return 0.0
