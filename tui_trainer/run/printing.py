"""Prints lines on standard output or standard error, ignoring write errors."""

from contextlib import suppress
from typing import TextIO


def say(text: str, file: TextIO | None) -> None:
    """Print `text`, if there is any, at once.

    No error for a closed pipe, a full disk, or a stream that the shell has closed, which is None.
    """
    if text and file is not None:
        with suppress(OSError):
            print(text, file=file, flush=True)
