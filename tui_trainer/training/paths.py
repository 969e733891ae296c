"""Paths of a configuration, made independent of the working directory."""

import glob
import os
from pathlib import Path

from tui_trainer.config import STANDARD_INPUT, Config, InputError


def check_working_directory() -> None:
    """Raises InputError where it was deleted: libraries that calculate end the process for want of it."""
    try:
        Path.cwd()
    except OSError as error:
        message = "The directory that you are in was deleted, or cannot be read: change to another one (cd)."
        raise InputError(message) from error


def with_absolute_paths(config: Config) -> Config:
    """The configuration with absolute paths, so that the run can be resumed from any directory."""
    return config.update(corpus=tuple(map(_absolute, config.data.corpus)))


def _absolute(path: str) -> str:
    if path == STANDARD_INPUT:
        return path
    if os.path.lexists(path):
        return str(Path(path).absolute())
    # A pattern: the directory before it is to be taken as it is, brackets and all.
    return str(Path(glob.escape(str(Path.cwd())), path))
