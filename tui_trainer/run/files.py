"""Files that are whole at every moment, whenever the machine stops."""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Put `text` into a file, old or new; raises OSError, and then the old text stays.

    Surrogate escapes become the bytes they stand for: a path in a text need not be UTF-8.
    """
    aside = path.with_name(f".{path.name}.partial")
    aside.write_text(text, encoding="utf-8", errors="surrogateescape")
    sync(aside)
    aside.replace(path)


def sync(path: Path) -> None:
    """Wait until a file or directory is on the disk; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
