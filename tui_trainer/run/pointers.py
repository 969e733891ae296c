"""Names of checkpoint directories, and the files `latest` and `best`, which each name one of them."""

import re
from typing import Final, NamedTuple

from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST

CHECKPOINTS: Final = "checkpoints"
"""The directory of checkpoints in a run's directory."""

LATEST, BEST = "latest", "best"

TRAINER_FILE: Final = "trainer.json"
"""The file of a checkpoint that is written last, with the run's progress."""

MAX_TRAINER_BYTES: Final = 2**24

MAX_POINTER_BYTES: Final = 100

_NAME = re.compile(r"step-(\d{8,15})(?:-b(\d{1,9}))?")


class CheckpointId(NamedTuple):
    """Of which step of which branch a checkpoint is: sorted, the last is that which a run goes on from."""

    branch: int
    step: int

    @property
    def name(self) -> str:
        """The name of its directory, which no other branch has."""
        return f"step-{self.step:08}" + (f"-b{self.branch}" if self.branch != FIRST else "")


def id_of(name: str) -> CheckpointId | None:
    """Which checkpoint has that name; None for what is no checkpoint's name."""
    if match := _NAME.fullmatch(name):
        told = CheckpointId(int(match[2] or FIRST), int(match[1]))
        return told if told.branch >= FIRST and told.name == name else None
    return None


def pointed(checkpoints: Folder, pointer: str) -> CheckpointId | None:
    """The checkpoint that `latest` or `best` names, whether it is there or not; None where none is named.

    Of a file that cannot be read, is a link or says anything else, nothing is believed.
    """
    try:
        return id_of(checkpoints.read(pointer, MAX_POINTER_BYTES).decode(errors="replace").strip())
    except OSError:
        return None


def latest(run: Folder) -> CheckpointId | None:
    """The checkpoint that `latest` names in a run's directory; None where there is none."""
    try:
        with run.folder(CHECKPOINTS) as checkpoints:
            return pointed(checkpoints, LATEST)
    except OSError:
        return None
