"""Command lines printed for the user to type, which work from any directory."""

import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from tui_trainer.config import STANDARD_INPUT, InputError
from tui_trainer.run.directory import RunDirectory, runs_root
from tui_trainer.run.finding import find_run
from tui_trainer.run.run_index import indexed_runs
from tui_trainer.run.text import visible_line


def program() -> str:
    """The command that runs this program, quoted for the shell."""
    if shutil.which("tui-trainer"):
        return "tui-trainer"
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m tui_trainer"
    return shlex.quote(str(_absolute(Path(sys.argv[0]))) if "/" in sys.argv[0] else sys.argv[0])


def attach_command(run: RunDirectory) -> str:
    """The command line that attaches to a live run."""
    return f"{program()} attach {run_argument(run)}"


def resume_command(run: RunDirectory, again: bool = False, paused: bool = False) -> str:
    """The command line that resumes a run: a finished one `again`, or a live one that is `paused`."""
    source = "... | " if not paused and _reads_standard_input(run) else ""
    return f"{source}{program()} resume {run_argument(run)}{' --again' * again}"


def run_argument(run: RunDirectory) -> str:
    """A run as an argument, quoted for the shell: its name if that finds it from anywhere, else its absolute path."""
    return visible_line(shlex.quote(run.name if _is_found_by_name(run) else str(_absolute(run.path))))


def _is_found_by_name(run: RunDirectory) -> bool:
    """Whether the name finds this run both in this directory and elsewhere, where only the index is searched."""
    if run.name.startswith("-"):  # it would be taken for an option
        return False
    with suppress(InputError, OSError):
        place = run.path.resolve()
        indexed = [each.path for each in indexed_runs() if each.name == run.name]
        return indexed == [place] and find_run(run.name, runs_root("")).path.resolve() == place
    return False


def _absolute(path: Path) -> Path:
    with suppress(OSError):  # the working directory was deleted
        return path.absolute()
    return path


def _reads_standard_input(run: RunDirectory) -> bool:
    with suppress(InputError):
        return STANDARD_INPUT in run.read_config().data.corpus
    return False
