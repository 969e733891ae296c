"""Adds a trainer's run to the index, and alerts to other runs trained on this machine."""

from collections.abc import Iterator

from tui_trainer.run import alerts, run_index
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert
from tui_trainer.run.finding import live_runs
from tui_trainer.run.lock import trainer_pid
from tui_trainer.run.text import visible_line


def add_to_index(run: RunDirectory, step: int) -> Iterator[Alert]:
    """Add the run to the index; yields an alert, at `step`, if that fails."""
    try:
        run_index.add_run(run)
    except OSError as error:
        reason = error.strerror or error
        message = f"The run is not in the index of your runs ({reason}): from elsewhere it is found by its path alone."
        yield alerts.index(step, message)


def look_for_others(run: RunDirectory) -> Iterator[Alert]:
    """Drop missing runs from the index; yields an alert if other runs are trained on this machine.

    Accesses the directory of every known run, which takes as long as the slowest disk. Raises OSError, or InputError if
    the directory that contains the run cannot be read.
    """
    run_index.drop_missing()
    here = run.path.resolve()
    others = [each for each in live_runs(run.path.parent) if each.path.resolve() != here]
    # A run without a process here is trained on another machine that shares its disk, or by another user.
    found = [f"{visible_line(each.name)} (pid {pid})" for each in others if (pid := trainer_pid(each)) is not None]
    if found:
        count = "Another run trains" if len(found) == 1 else f"{len(found)} other runs train"
        yield alerts.other_runs(f"{count} on this machine: {', '.join(found)}.")
