"""What a trainer that opens a run makes known to others, and what it is told of them."""

from collections.abc import Iterator

from tui_trainer.run import index
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert
from tui_trainer.run.finding import live_runs
from tui_trainer.run.lock import trainer_pid
from tui_trainer.run.text import visible_line


def introduce(run: RunDirectory, step: int) -> Iterator[Alert]:
    """Put the run into the index; alerts, at `step`, about what did not work and about who else trains."""
    try:
        index.enter(run)
    except OSError as error:
        reason = error.strerror or error
        message = f"The run is not in the index of your runs ({reason}): from elsewhere it is found by its path alone."
        yield Alert(step=step, kind="index", severity="warning", message=message)
    here = run.path.resolve()
    others = [_described(each) for each in live_runs(run.path.parent) if each.path.resolve() != here]
    if others:
        count = "Another run trains" if len(others) == 1 else f"{len(others)} other runs train"
        message = f"{count} on this machine: {', '.join(others)}."
        yield Alert(step=step, kind="neighbours", severity="info", message=message)


def _described(run: RunDirectory) -> str:
    pid = trainer_pid(run)
    return visible_line(run.name) + (f" (pid {pid})" if pid else "")
