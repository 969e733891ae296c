"""What a trainer makes known of its run to others, and what it is told of theirs."""

from collections.abc import Iterator

from tui_trainer.run import alerts, index
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert
from tui_trainer.run.finding import live_runs
from tui_trainer.run.lock import trainer_pid
from tui_trainer.run.text import visible_line


def enter_index(run: RunDirectory, step: int) -> Iterator[Alert]:
    """Put the run into the index; an alert, at `step`, where that cannot be done."""
    try:
        index.enter(run)
    except OSError as error:
        reason = error.strerror or error
        message = f"The run is not in the index of your runs ({reason}): from elsewhere it is found by its path alone."
        yield alerts.index(step, message)


def look_for_others(run: RunDirectory) -> Iterator[Alert]:
    """Drop the runs that are gone from the index; an alert if other runs are trained on this machine.

    Looks at the directory of every known run, which takes as long as the slowest disk does. Raises OSError, and
    InputError where the directory that the run lies in cannot be read.
    """
    index.drop_missing()
    here = run.path.resolve()
    others = [each for each in live_runs(run.path.parent) if each.path.resolve() != here]
    # A run without a process here is trained on another machine that shares its disk, or by another user.
    told = [f"{visible_line(each.name)} (pid {pid})" for each in others if (pid := trainer_pid(each)) is not None]
    if told:
        count = "Another run trains" if len(told) == 1 else f"{len(told)} other runs train"
        yield alerts.other_runs(f"{count} on this machine: {', '.join(told)}.")
