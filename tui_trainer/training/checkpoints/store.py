"""The checkpoints of a run: directories written aside and renamed when whole, and two pointers to them.

All is done through the run's open directory, and nothing outside it is reached: a link in the place of `checkpoints`,
of a checkpoint or of a file in it is refused. What a checkpoint does not consist of is never removed.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from errno import EINVAL
from pathlib import Path
from typing import Final

from torch import Tensor

from tui_trainer.config import InputError
from tui_trainer.run.folder import Folder
from tui_trainer.run.pointers import BEST, CHECKPOINTS, LATEST, checkpoint_name, pointed_step, step_of
from tui_trainer.run.text import visible_line
from tui_trainer.training.checkpoints.format import (
    FILES,
    LAST_FILE,
    ROLLBACK,
    Checkpoint,
    Contents,
    DamagedError,
    NewerVersionError,
    Record,
    sealed,
    trainer_record,
    write_checkpoint,
)
from tui_trainer.training.progress import Progress, checked_progress
from tui_trainer.training.recovery.rollback_buffer import RollbackState

BY_HAND: Final = "asked"
"""Reason of a checkpoint that a person asked for: such are never removed."""

WITH_ROLLBACK: Final = 2
"""How many of the newest checkpoints keep the states that a rollback may go back to."""

_LEFT_OVER = re.compile(r"\.(removed-step-\d+|step-\d+\.partial)")
"""Of a process that was killed while it wrote or removed a checkpoint."""

_HALF_WRITTEN: Final = re.compile(r"\.tmp\w+")
"""What the safetensors library calls a file while it writes it."""

_OWN_FILES: Final = (LAST_FILE, f".{LAST_FILE}.partial", *FILES, ROLLBACK)


class CheckpointStore:
    """The checkpoints in a run's open directory, of which the newest `keep` stay, beside the best."""

    def __init__(self, folder: Folder, keep: int) -> None:
        self._folder = folder
        self._keep = keep

    def save(self, contents: Contents, reason: str) -> Path:
        """Write a checkpoint, or mark the one of this step that is there; raises OSError, and then nothing is lost."""
        progress = contents.progress
        try:
            checked_progress(asdict(progress))
        except InputError as error:  # it could not be read again
            raise OSError(EINVAL, str(error)) from error
        name = checkpoint_name(progress.step)
        with self._folder.folder(CHECKPOINTS, create=True) as root:
            if (record := _existing(root, name)) is not None:
                reason = BY_HAND if record.reason == BY_HAND else reason
                trainer = trainer_record(progress, reason, record.rollback_steps)
                with root.folder(name) as checkpoint:
                    checkpoint.replace_text(LAST_FILE, sealed(trainer, record.hashes))
            else:
                _write(root, name, contents, reason)
            _point(root, progress)
            with suppress(OSError):  # what could not be removed is tried again when the next one is saved
                self._prune(root, progress.best_step)
            return root.path / name

    def newest(self) -> tuple[Checkpoint, list[int]]:
        """The newest checkpoint that is whole, and the steps of the newer ones that are damaged.

        Raises InputError if none is whole, or one cannot be read for another reason than its damage.
        """
        damaged: list[int] = []
        with self._opened() as root:
            for step in reversed(_steps(root)):
                try:
                    return _read(root, step), damaged
                except DamagedError:
                    damaged.append(step)
                except NewerVersionError:
                    raise
                except InputError as error:
                    advice = f"Put that right, or move {checkpoint_name(step)} away to go on from the one before it."
                    raise InputError(f"{error} {advice}") from error
        raise self._nothing_to_read()

    def resume_from(self, progress: Progress, damaged: Sequence[int]) -> list[Path]:
        """Set the damaged checkpoints of `newest` aside, so that their steps can be saved again; where they are then.

        The pointers become what they are with this progress: a process may have been killed before it could set them.
        Raises OSError.
        """
        with self._folder.folder(CHECKPOINTS) as root:
            aside = [_set_aside(root, checkpoint_name(step)) for step in damaged]
            with suppress(OSError):  # they are set again when the next checkpoint is saved
                _point(root, progress)
            return [root.path / name for name in aside]

    def weights(self, step: int) -> dict[str, Tensor]:
        """The model's weights in the checkpoint of that step; raises InputError."""
        with self._opened() as root, _checkpoint(root, step) as folder:
            return Record.read(folder).weights(folder)[0]

    def before(self, step: int) -> RollbackState | None:
        """Weights and stepper's state of the newest whole checkpoint that is not after `step`, if there is one."""
        with suppress(InputError), self._opened() as root:
            for each in reversed(_steps(root)):
                with suppress(InputError):
                    if each <= step:
                        checkpoint = _read(root, each)
                        return RollbackState(each, checkpoint.weights, checkpoint.state)
        return None

    @contextmanager
    def _opened(self) -> Iterator[Folder]:
        """The directory of the checkpoints; raises InputError."""
        try:
            root = self._folder.folder(CHECKPOINTS)
        except FileNotFoundError as error:
            raise self._nothing_to_read() from error
        except OSError as error:
            raise _unreadable(self._folder, CHECKPOINTS, error) from error
        try:
            with root:
                yield root
        except OSError as error:
            raise _unreadable(self._folder, CHECKPOINTS, error) from error

    def _nothing_to_read(self) -> InputError:
        run = visible_line(str(self._folder.path))
        return InputError(f"{run} has no checkpoint that can be read: train anew under another name.")

    def _prune(self, root: Folder, best_step: int) -> None:
        for name in filter(_LEFT_OVER.fullmatch, root.names()):
            _discard(root, name)
        steps = [step for step in _steps(root) if _is_written(root, step)]
        kept = {_pointed(root, LATEST), _pointed(root, BEST), best_step, *steps[-self._keep :]}
        for step in steps:
            if step not in kept and not _asked_for(root, step):
                # Out of sight first: a half-removed directory must not pass for a checkpoint.
                removed = f".removed-{checkpoint_name(step)}"
                root.rename(checkpoint_name(step), removed)
                _discard(root, removed)
            elif step not in steps[-WITH_ROLLBACK:]:
                with root.folder(checkpoint_name(step)) as checkpoint:
                    checkpoint.remove(ROLLBACK)


def _write(root: Folder, name: str, contents: Contents, reason: str) -> None:
    aside = f".{name}.partial"
    _discard(root, aside)
    try:
        with root.folder(aside, create=True) as checkpoint:
            write_checkpoint(checkpoint, contents, reason)
        root.rename(aside, name)
    except BaseException:
        with suppress(OSError):
            _discard(root, aside)
        raise
    root.sync()


def _existing(root: Folder, name: str) -> Record | None:
    """What the checkpoint of that name tells; one that is damaged is set aside. Raises OSError."""
    try:
        with root.folder(name) as checkpoint:
            record = Record.read(checkpoint)
            if all(map(checkpoint.is_file, FILES)):
                return record
    except FileNotFoundError:
        return None
    except DamagedError:
        pass
    except InputError as error:
        raise OSError(EINVAL, str(error)) from error
    _set_aside(root, name)
    return None


def _read(root: Folder, step: int) -> Checkpoint:
    with _checkpoint(root, step) as folder:
        checkpoint = Checkpoint.read(folder)
        if checkpoint.progress.step != step:
            raise InputError(f"{visible_line(str(folder.path))} is of step {checkpoint.progress.step:,}.")
        return checkpoint


@contextmanager
def _checkpoint(root: Folder, step: int) -> Iterator[Folder]:
    """The directory of a checkpoint; raises InputError."""
    name = checkpoint_name(step)
    try:
        folder = root.folder(name)
    except OSError as error:
        raise _unreadable(root, name, error) from error
    with folder:
        yield folder


def _unreadable(folder: Folder, name: str, error: OSError) -> InputError:
    place = visible_line(str(folder.path / name))
    return InputError(f"{place} cannot be read: {visible_line(error.strerror or str(error))}.")


def _steps(root: Folder) -> list[int]:
    """Of whatever has the name of a checkpoint, in order."""
    return sorted(step for step in map(step_of, root.names()) if step is not None)


def _is_written(root: Folder, step: int) -> bool:
    """Whether there is a checkpoint, whole or damaged, and not merely something of its name."""
    try:
        with root.folder(checkpoint_name(step)) as checkpoint:
            return checkpoint.is_file(LAST_FILE)
    except OSError:
        return False


def _asked_for(root: Folder, step: int) -> bool:
    """Whether a person asked for this checkpoint; one that cannot tell may be such."""
    try:
        with _checkpoint(root, step) as checkpoint:
            return Record.read(checkpoint).reason == BY_HAND
    except InputError:
        return True


def _pointed(root: Folder, pointer: str) -> int | None:
    """The step of the checkpoint that a pointer names, if it is there."""
    step = pointed_step(root, pointer)
    return step if step is not None and _is_written(root, step) else None


def _point(root: Folder, progress: Progress) -> None:
    """Let `latest` and `best` name the checkpoints that are so with this progress; raises OSError."""
    wanted = {LATEST: progress.step} | ({} if progress.best_loss is None else {BEST: progress.best_step})
    for pointer, step in wanted.items():
        if _pointed(root, pointer) != step and _is_written(root, step):
            root.replace_text(pointer, checkpoint_name(step))


def _set_aside(root: Folder, name: str) -> str:
    """Give a checkpoint a name that does not count, and that none has which was set aside before; that name."""
    aside = _free_name(root, f".unreadable-{name}")
    root.rename(name, aside)
    return aside


def _discard(root: Folder, name: str) -> None:
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
