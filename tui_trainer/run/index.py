"""The index of this user's runs, wherever they lie: a symbolic link to each, in the user's state directory.

A link is made in one piece, so that many trainers at once do each other no harm and nothing in the index can be half
written. What it says is believed only as far as the run itself bears it out.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

from tui_trainer.run.directory import PRIVATE, RunDirectory, is_run

NAME_LENGTH: Final = 32
"""Characters of a hash that name a link."""


def enter(run: RunDirectory) -> None:
    """Put a run into the index; raises OSError where that cannot be done. Looks at no other run."""
    folder = _folder()
    folder.mkdir(PRIVATE, parents=True, exist_ok=True)
    place = run.path.resolve()
    with suppress(FileExistsError):  # a run that is taken up again, or another trainer of the same
        (folder / hashlib.sha256(os.fsencode(place)).hexdigest()[:NAME_LENGTH]).symlink_to(place)


def drop_missing() -> None:
    """Drop runs that have been moved or deleted. Where the directory above is missing too, a disk may be away."""
    with suppress(OSError):
        for link in _links(_folder()):
            with suppress(OSError):
                if not link.exists() and (link.parent / link.readlink()).parent.exists():
                    link.unlink()


def indexed_runs() -> list[RunDirectory]:
    """The runs of the index that are there, by path; those of other users, and whatever is no run, are left out."""
    with suppress(OSError):
        return [RunDirectory(place) for place in sorted(map(_target, _links(_folder()))) if _is_own_run(place)]
    return []


def _folder() -> Path:
    folder = platformdirs.user_state_path("tui-trainer", appauthor=False) / "runs"
    if not folder.is_absolute():
        raise FileNotFoundError(None, "there is no state directory", str(folder))
    return folder


def _links(folder: Path) -> list[Path]:
    return [link for link in folder.iterdir() if link.is_symlink()]


def _target(link: Path) -> Path:
    """Where a link leads; nowhere when it has just been removed."""
    with suppress(OSError):
        return link.readlink()
    return Path()


def _is_own_run(place: Path) -> bool:
    with suppress(OSError):
        return place.is_absolute() and is_run(place) and place.stat().st_uid == os.getuid()
    return False
