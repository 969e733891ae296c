"""The run directory: its files, where it is kept, and its name."""

import os
import re
from dataclasses import dataclass
from errno import EACCES, EINVAL, ELOOP, EPERM
from pathlib import Path
from typing import Final

from tui_trainer.config import MAX_BYTES, Config, InputError
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL
from tui_trainer.run.pointers import CHECKPOINTS, latest
from tui_trainer.run.text import visible_line

PRIVATE: Final = 0o700
"""Mode of a run's directory: another user who could write there could control the run."""

CONFIG: Final = "config.toml"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunDirectory:
    """The paths of one run's files."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def open(self) -> Folder:
        """Open the directory to read what is in it; raises OSError."""
        return Folder.open(self.path)

    def open_to_train(self) -> Folder:
        """Open the directory to write into it; raises InputError if another user owns it, or OSError."""
        folder = self.open()
        if folder.owner != os.geteuid() != 0:
            folder.close()
            raise InputError(
                f"The run {visible_line(self.name)} belongs to another user: copy its directory, and resume the copy."
            )
        return folder

    def read_config(self) -> Config:
        """The configuration in `config.toml`; raises InputError, also if that is a link or a pipe."""
        try:
            with self.open() as folder:
                return Config.parse(folder.read(CONFIG, MAX_BYTES), self.config)
        except OSError as error:
            path = visible_line(str(self.config))
            raise InputError(f"Cannot read the configuration {path}: {error.strerror}.") from error

    @property
    def config(self) -> Path:
        return self.path / CONFIG

    @property
    def journal(self) -> Path:
        return self.path / JOURNAL

    @property
    def checkpoints(self) -> Path:
        return self.path / CHECKPOINTS

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to resume from; false if that cannot be read."""
        return self.latest_step() is not None

    def latest_step(self) -> int | None:
        """The step of the newest checkpoint; None if there is none, or it cannot be read."""
        try:
            with self.open() as folder:
                newest = latest(folder)
        except OSError:
            return None
        return newest and newest.step


def runs_root(runs_dir: str) -> Path:
    """Where runs are kept: the option, else TUI_TRAINER_RUNS, else ./runs."""
    return Path(runs_dir or os.environ.get("TUI_TRAINER_RUNS") or "runs")


def check_root(root: Path) -> None:
    """Check, before any work is done, that runs can be made in `root`; raises InputError."""
    place = root
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
    except OSError as error:
        raise _no_place(root, error) from error
    if not place.is_dir():
        raise InputError(f"{visible_line(str(place))} is not a directory: choose another place with --runs-dir.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"Cannot write to {visible_line(str(place))}: choose another place with --runs-dir.")


def check_name(root: Path, name: str) -> None:
    """Raises InputError for a name that is no plain folder name, or is taken."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"--name {visible_line(name)!r} cannot name a run: use at most 100 letters, digits, '.', '_' or '-'."
        )
    if (root / name).exists():
        raise InputError(f"A run named {name} exists in {visible_line(str(root))}: choose another, or resume it.")


def create_run(root: Path, name: str, label: str) -> RunDirectory:
    """Make the directory of a new run, named `name`, or after `label` with a number if taken; raises InputError."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        if name:
            (root / name).mkdir(PRIVATE)
            return RunDirectory(root / name)
        return RunDirectory(_make_numbered(root, slug(label)))
    except FileExistsError as error:
        raise InputError(f"A run named {name} exists in {visible_line(str(root))}: choose another --name.") from error
    except OSError as error:
        raise _no_place(root, error) from error


def cannot_write(path: Path, error: OSError) -> InputError:
    """The error for a file of an existing run that cannot be written."""
    entry = Path(os.fsdecode(error.filename)).name if error.filename else ""
    which = f"{visible_line(entry)}: " if entry and entry != path.name else ""
    reason = f"{which}{error.strerror or error}"
    advice = "move that file away" if error.errno in (ELOOP, EINVAL, EPERM) and which else "make room or access"
    return InputError(f"Cannot write to the run {visible_line(str(path))} ({reason}): {advice}.")


def _no_place(root: Path, error: OSError) -> InputError:
    return InputError(
        f"Cannot make a run in {visible_line(str(root))} ({error.strerror}): choose another place with --runs-dir."
    )


def _make_numbered(root: Path, base: str) -> Path:
    number = 1
    while True:
        path = root / (base if number == 1 else f"{base}-{number}")
        try:
            path.mkdir(PRIVATE)
            return path
        except FileExistsError:
            number += 1


def slug(label: str) -> str:
    """A plain folder name made of any text."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-._")[:60]
    return plain or "run"


def runs_in(root: Path) -> list[RunDirectory]:
    """Every run in `root`, which need not exist; raises InputError if it cannot be read."""
    try:
        paths = sorted(root.iterdir())
        if not os.access(root, os.X_OK):  # its entries can be listed, but not examined
            raise PermissionError(EACCES, os.strerror(EACCES))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        place = visible_line(str(root))
        raise InputError(f"Cannot look for runs in {place} ({error.strerror}): name another --runs-dir.") from error
    return [RunDirectory(path) for path in paths if is_run(path)]


def is_run(path: Path) -> bool:
    """Whether a directory holds a run: one of another tool may have no configuration."""
    try:
        return (path / CONFIG).is_file() or (path / JOURNAL).is_file()
    except OSError:  # a name too long
        return False
