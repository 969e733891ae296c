"""The numbers of the formats that this version writes. Earlier formats are read, later ones refused."""

from typing import Final

from tui_trainer.config import InputError

JOURNAL_FORMAT: Final = 2
"""In each `run` event. Format 1 has no format number, no further numbers in a `step`, and no branches."""

CHECKPOINT_FORMAT: Final = 3
"""In `trainer.json`. Format 1 has no format number and no rollback states; format 2 has no branches."""

SOCKET_FORMAT: Final = 2
"""In the greeting on the control socket. Format 1 has no format number."""


NEWER_CHECKPOINT: Final = "The run was saved by a newer version of tui-trainer: update to read it"


class NewerFormatError(InputError):
    """A file or message has a later format than this version can read."""


def check_journal_format(found: object) -> None:
    """Check the format of a `run` event; raises NewerFormatError for a later one, ValueError for an invalid one."""
    _check(found, JOURNAL_FORMAT, "The run's journal was written by a newer version of tui-trainer: update to read it")


def check_checkpoint_format(found: object) -> None:
    """Check the format in `trainer.json`; raises NewerFormatError for a later one, ValueError for an invalid one."""
    _check(found, CHECKPOINT_FORMAT, NEWER_CHECKPOINT)


def check_socket_format(found: object) -> None:
    """Check the format of a greeting; raises NewerFormatError for a later one, ValueError for an invalid one."""
    _check(found, SOCKET_FORMAT, "The run is trained by a newer version of tui-trainer: update to look at it")


def _check(found: object, known: int, sentence: str) -> None:
    if type(found) is not int or found < 1:
        raise ValueError("a format is a whole number from 1 on")
    if found > known:
        raise NewerFormatError(f"{sentence} (it has format {found}, and this version knows {known}).")
