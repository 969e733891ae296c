"""Exit statuses, and how a process ends."""

import os
import sys
from contextlib import suppress
from typing import Final, NoReturn

import psutil

FAILED: Final = 1
BAD_INPUT: Final = 2
SIGNALLED: Final = 128
"""Added to the number of the signal that ended a process."""


def end_at_once(status: int) -> NoReturn:
    """End this process and its children, such as compilers, without waiting for threads.

    Everything on the disk is whole at any moment, so that nothing is damaged.
    """
    with suppress(OSError, RuntimeError):  # RuntimeError: a signal handler interrupted a write
        sys.stdout.flush()
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    os._exit(status)
