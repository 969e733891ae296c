"""The directories of checkpoints: which there are, what is in them, and putting them out of the way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL
from typing import Final

from tui_trainer.config import InputError
from tui_trainer.run.events import ON_REQUEST
from tui_trainer.run.folder import Folder
from tui_trainer.run.pointers import CheckpointId, id_of, pointed
from tui_trainer.run.text import visible_line
from tui_trainer.training.checkpoints.checkpoint import Checkpoint, Contents
from tui_trainer.training.checkpoints.format import FILES, LAST_FILE, ROLLBACK, DamagedError
from tui_trainer.training.checkpoints.record import Record

LEFT_OVER: Final = re.compile(r"\.(removed-step-[\db-]+|step-[\db-]+\.partial)")
"""Of a process that was killed while it wrote or removed a checkpoint."""

REPLACED: Final = ".replaced-"
"""Before the name of a checkpoint, while one of the same step and branch takes its place."""

_HALF_WRITTEN: Final = re.compile(r"\.tmp\w+")
"""What the safetensors library calls a file while it writes it."""

_OWN_FILES: Final = (LAST_FILE, f".{LAST_FILE}.partial", *FILES, ROLLBACK)


def finish_replacing(root: Folder) -> None:
    """Remove what was replaced; where a process was killed before the other was in its place, it is put back."""
    for name in filter(lambda name: name.startswith(REPLACED), root.names()):
        own = name.removeprefix(REPLACED)
        if own in root.names():
            discard(root, name)
        elif id_of(own):
            root.rename(name, own)


def find_same(root: Folder, name: str, contents: Contents) -> Record | None:
    """The record of the checkpoint of that name, if it has these weights and optimizer; raises OSError.

    One that is damaged is set aside.
    """
    try:
        with root.folder(name) as checkpoint:
            record = Record.read(checkpoint)
            return record if record.has(checkpoint, contents.weights, contents.state) else None
    except FileNotFoundError:
        return None
    except DamagedError:
        set_aside(root, name)
        return None
    except InputError as error:
        raise OSError(EINVAL, str(error)) from error


def read_checkpoint(root: Folder, wanted: CheckpointId) -> Checkpoint:
    with checkpoint_folder(root, wanted) as folder:
        checkpoint = Checkpoint.read(folder)
        found = CheckpointId(checkpoint.lineage[-1].id, checkpoint.progress.step)
        if found.step != wanted.step:
            raise InputError(f"{visible_line(str(folder.path))} is of step {found.step:,}.")
        if found.branch != wanted.branch:
            raise InputError(f"{visible_line(str(folder.path))} is of branch {found.branch}.")
        return checkpoint


@contextmanager
def checkpoint_folder(root: Folder, wanted: CheckpointId) -> Iterator[Folder]:
    """The directory of a checkpoint; raises InputError."""
    name = wanted.name
    try:
        folder = _replaced_or_not(root, name)
    except OSError as error:
        raise unreadable(root, name, error) from error
    with folder:
        yield folder


def _replaced_or_not(root: Folder, name: str) -> Folder:
    """Open a checkpoint, which may have its other name just now; raises OSError, also FileNotFoundError."""
    try:
        return root.folder(name)
    except FileNotFoundError:  # as long as it is being replaced, or since a process was killed then
        return root.folder(f"{REPLACED}{name}")


def unreadable(folder: Folder, name: str, error: OSError) -> InputError:
    place = visible_line(str(folder.path / name))
    return InputError(f"{place} cannot be read: {visible_line(error.strerror or str(error))}.")


def checkpoint_ids(root: Folder) -> list[CheckpointId]:
    """Of whatever has the name of a checkpoint, in order; those that are being replaced among them."""
    names = {name.removeprefix(REPLACED) for name in root.names()}
    return sorted(found for found in map(id_of, names) if found is not None)


def is_written(root: Folder, wanted: CheckpointId) -> bool:
    """Whether there is a checkpoint, whole or damaged, and not merely something of its name."""
    try:
        with root.folder(wanted.name) as checkpoint:
            return checkpoint.is_file(LAST_FILE)
    except OSError:
        return False


def asked_for(root: Folder, wanted: CheckpointId) -> bool:
    """Whether a person asked for this checkpoint; also true if its record cannot be read."""
    try:
        with checkpoint_folder(root, wanted) as checkpoint:
            return Record.read(checkpoint).reason == ON_REQUEST
    except InputError:
        return True


def pointed_checkpoint(root: Folder, pointer: str) -> CheckpointId | None:
    """The checkpoint that a pointer names, if it is there."""
    wanted = pointed(root, pointer)
    return wanted if wanted is not None and is_written(root, wanted) else None


def set_aside(root: Folder, name: str) -> str:
    """Give a checkpoint a name that does not count, and that none has which was set aside before; that name."""
    aside = _free_name(root, f".unreadable-{name}")
    root.rename(name, aside)
    return aside


def discard(root: Folder, name: str) -> None:
    """Remove what a checkpoint consists of, and its directory; if it has more, that stays under a plain name."""
    try:
        with root.folder(name) as directory:
            half = filter(_HALF_WRITTEN.fullmatch, directory.names()) if name.endswith(".partial") else ()
            for file in (*_OWN_FILES, *half):
                directory.remove(file)
        root.remove_folder(name)
    except FileNotFoundError:
        pass
    except OSError:
        root.rename(name, _free_name(root, f"left-{name.strip('.')}"))


def _free_name(root: Folder, name: str) -> str:
    taken, number = root.names(), 1
    while (candidate := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return candidate
