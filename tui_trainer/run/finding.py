"""Finding runs by name or path: in the root, and anywhere else through the index."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tui_trainer.config import InputError
from tui_trainer.run.directory import RunDirectory, is_run, runs_in
from tui_trainer.run.index import indexed_runs
from tui_trainer.run.lock import is_locked
from tui_trainer.run.text import visible_line


def known_runs(root: Path) -> list[RunDirectory]:
    """The runs in `root`, then those that the index has elsewhere; raises InputError for an unreadable `root`."""
    runs = runs_in(root)
    here = {run.path.resolve() for run in runs}
    return runs + [run for run in indexed_runs() if run.path.resolve() not in here]


def find_run(
    name: str, root: Path, preferred: Callable[[RunDirectory], bool] = RunDirectory.has_checkpoint
) -> RunDirectory:
    """The run of that name or path; raises InputError where there is none, or several.

    `root` is looked in first, then the path, then the index. When `name` is empty it is the run that changed last, of
    the preferred if there are any: in `root`, or elsewhere if there is none.
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
        runs_in(root)  # it may be there, where it cannot be seen
        place = visible_line(str(root))
        raise InputError(f"{visible_line(name)} is not a run: it is neither in {place} nor a run's path.")
    return found[0]


def find_live_run(name: str, root: Path) -> RunDirectory:
    """The live run of that name or path, or the only one there is; raises InputError."""
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
    """Of the known ones; raises InputError."""
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
    """Unix seconds."""
    try:
        return (run.journal if run.journal.exists() else run.path).stat().st_mtime
    except OSError:  # it has just been removed
        return 0.0
