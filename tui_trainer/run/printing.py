"""Lines on standard output and standard error, which may have nobody to read them."""

from contextlib import suppress
from typing import TextIO


def say(text: str, file: TextIO | None) -> None:
    """Print `text`, if there is any, at once.

    A reader that has gone, a full disk, or a stream that the shell has closed, which is None, is no error.
    """
    if text and file is not None:
        with suppress(OSError):
            print(text, file=file, flush=True)
