"""The numbers of the formats that this version writes. It reads every earlier one, and refuses a later one."""

from typing import Final

from tui_trainer.config import InputError

JOURNAL_FORMAT: Final = 2
"""Told by each `run` event. Format 1, which tells no number, knows no further numbers in a `step`, and no branches."""

CHECKPOINT_FORMAT: Final = 3
"""Told by `trainer.json`. Format 1, which tells no number, knows no rollback states; format 2 no branches."""

SOCKET_FORMAT: Final = 2
"""Told by the greeting on the control socket. Format 1 tells no number."""


class NewerFormatError(InputError):
    """Something was written by a version that knows more than this one."""


def check_journal_format(told: object) -> None:
    """Raises NewerFormatError for what a newer version says in a `run` event, ValueError for what none says."""
    _check(told, JOURNAL_FORMAT, "The run's journal was written by a newer version of tui-trainer: update to read it")


def check_socket_format(told: object) -> None:
    """Raises NewerFormatError for what a newer version says in its greeting, ValueError for what none says."""
    _check(told, SOCKET_FORMAT, "The run is trained by a newer version of tui-trainer: update to look at it")


def _check(told: object, known: int, sentence: str) -> None:
    if type(told) is not int or told < 1:
        raise ValueError("a format is a whole number from 1 on")
    if told > known:
        raise NewerFormatError(f"{sentence} (it has format {told}, and this version knows {known}).")
