"""Names of checkpoint directories, and the files `latest` and `best`, which each name one of them."""

import re
from typing import Final

from tui_trainer.run.folder import Folder

CHECKPOINTS: Final = "checkpoints"
"""The directory of checkpoints in a run's directory."""

LATEST, BEST = "latest", "best"

TRAINER_FILE: Final = "trainer.json"
"""The file of a checkpoint that is written last, with the run's progress."""

MAX_POINTER_BYTES: Final = 100

_NAME = re.compile(r"step-(\d{8,15})")


def checkpoint_name(step: int) -> str:
    return f"step-{step:08}"


def step_of(name: str) -> int | None:
    """The step of the checkpoint of that name; None if it is no checkpoint's name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match and name == checkpoint_name(int(match[1])) else None


def pointed_step(checkpoints: Folder, pointer: str) -> int | None:
    """The step of the checkpoint that `latest` or `best` names, whether it is there or not; None where none is named.

    Of a file that cannot be read, is a link or says anything else, nothing is believed.
    """
    try:
        return step_of(checkpoints.read(pointer, MAX_POINTER_BYTES).decode(errors="replace").strip())
    except OSError:
        return None


def latest_step(run: Folder) -> int | None:
    """The step of the checkpoint that `latest` names in a run's directory; None where there is none."""
    try:
        with run.folder(CHECKPOINTS) as checkpoints:
            return pointed_step(checkpoints, LATEST)
    except OSError:
        return None
