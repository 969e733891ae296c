"""The index of this user's runs in any directory: a symbolic link to each, in the user's state directory.

Making a link is atomic, so that many trainers can add to the index at once and no entry is half written. An entry is
used only if a run of this user's is there.
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


def add_run(run: RunDirectory) -> None:
    """Add a run to the index; raises OSError. Accesses no other run."""
    folder = _folder()
    folder.mkdir(PRIVATE, parents=True, exist_ok=True)
    place = run.path.resolve()
    with suppress(FileExistsError):  # a resumed run, or another trainer of the same
        (folder / hashlib.sha256(os.fsencode(place)).hexdigest()[:NAME_LENGTH]).symlink_to(place)


def drop_missing() -> None:
    """Drop runs that were moved or deleted; not those whose parent is missing too, as a disk may be unmounted."""
    with suppress(OSError):
        for link in _links(_folder()):
            with suppress(OSError):
                if not link.exists() and (link.parent / link.readlink()).parent.exists():
                    link.unlink()


def indexed_runs() -> list[RunDirectory]:
    """The existing runs of the index, by path; those of other users, and whatever is no run, are left out."""
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
    """The target of a link; an empty path if it was just removed."""
    with suppress(OSError):
        return link.readlink()
    return Path()


def _is_own_run(place: Path) -> bool:
    with suppress(OSError):
        return place.is_absolute() and is_run(place) and place.stat().st_uid == os.getuid()
    return False
