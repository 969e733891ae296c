"""The checkpoints of a run: directories written aside and renamed when whole, and two pointers to them.

All is done through the run's open directory, and nothing outside it is reached: a link in the place of `checkpoints`,
of a checkpoint or of a file in it is refused. What a checkpoint does not consist of is never removed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EINVAL
from pathlib import Path
from typing import Final

from torch import Tensor

from tui_trainer.config import InputError
from tui_trainer.run.events import ON_REQUEST
from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import NewerFormatError
from tui_trainer.run.lineage import FIRST_LINEAGE, Lineage, branch_ends
from tui_trainer.run.pointers import BEST, CHECKPOINTS, LATEST, CheckpointId
from tui_trainer.run.text import visible_line
from tui_trainer.training.checkpoints.checkpoint import Checkpoint, Contents
from tui_trainer.training.checkpoints.directories import (
    LEFT_OVER,
    REPLACED,
    asked_for,
    checkpoint_folder,
    checkpoint_ids,
    discard,
    find_same,
    finish_replacing,
    is_written,
    pointed_checkpoint,
    read_checkpoint,
    set_aside,
    unreadable,
)
from tui_trainer.training.checkpoints.format import LAST_FILE, ROLLBACK, DamagedError, sealed
from tui_trainer.training.checkpoints.record import Record
from tui_trainer.training.checkpoints.writing import trainer_record, write_checkpoint
from tui_trainer.training.progress import Progress, checked_progress, progress_values
from tui_trainer.training.recovery.rollback_buffer import RollbackState

WITH_ROLLBACK: Final = 2
"""How many of the newest checkpoints keep the states that a rollback may go back to."""


class NoCheckpointError(InputError):
    """A run has no checkpoint that can be read."""


class CheckpointStore:
    """The checkpoints in a run's open directory, of which the newest `keep` of its branch stay, beside the best.

    Those of other branches are never written or removed.
    """

    def __init__(self, folder: Folder, keep: int, lineage: Lineage = FIRST_LINEAGE, parent: str = "") -> None:
        """For a run of that lineage, resumed from the checkpoint `parent`; empty for a new run."""
        self._folder = folder
        self._keep = keep
        self._lineage, self._parent = lineage, parent

    def save(self, contents: Contents, reason: str) -> Path:
        """Write a checkpoint, or what is new into the one that is there if it has the same weights and optimizer.

        Another one of this step and branch is replaced: those steps were taken again. Raises OSError, and then nothing
        is lost.
        """
        progress = contents.progress
        try:
            checked_progress(progress_values(progress))
        except InputError as error:  # it could not be read again
            raise OSError(EINVAL, str(error)) from error
        name = CheckpointId(self.branch, progress.step).name
        with self._folder.folder(CHECKPOINTS, create=True) as root:
            if (record := find_same(root, name, contents)) is not None:
                reason = ON_REQUEST if record.reason == ON_REQUEST else reason
                trainer = trainer_record(progress, reason, record.rollback_steps, self._lineage, record.parent)
                with root.folder(name) as checkpoint:
                    checkpoint.replace_text(LAST_FILE, sealed(trainer, record.hashes))
            else:
                self._write(root, name, contents, reason)
            self._point(root, progress)
            with suppress(OSError):  # what could not be removed is tried again when the next one is saved
                self._prune(root, progress.best_step)
            return root.path / name

    def finish_replacing(self) -> None:
        """Put in order what a process left that was killed while it replaced a checkpoint; raises InputError.

        For whoever holds the run's lock: another trainer may be about to rename them.
        """
        with self._opened() as root:
            finish_replacing(root)

    def newest(self) -> tuple[Checkpoint, list[str]]:
        """The newest checkpoint that is whole, and the names of the newer ones that are damaged.

        That is the newest of the last branch that has one. Changes nothing on disk. Raises NoCheckpointError if none
        is whole, InputError if one cannot be read for another reason than its damage.
        """
        damaged: list[str] = []
        with self._opened() as root:
            for each in reversed(checkpoint_ids(root)):
                try:
                    return read_checkpoint(root, each), damaged
                except DamagedError:
                    damaged.append(each.name)
                except NewerFormatError:
                    raise
                except InputError as error:
                    advice = f"Put that right, or move {each.name} away to go on from the one before it."
                    raise InputError(f"{error} {advice}") from error
        raise self._nothing_to_read()

    def resume_from(self, progress: Progress, damaged: Sequence[str]) -> list[Path]:
        """Set the damaged checkpoints of `newest` aside, so that their steps can be saved again; where they are then.

        The pointers become what they are with this progress: a process may have been killed before it could set them.
        Raises OSError.
        """
        with self._folder.folder(CHECKPOINTS) as root:
            aside = [set_aside(root, name) for name in damaged]
            with suppress(OSError):  # they are set again when the next checkpoint is saved
                self._point(root, progress)
            return [root.path / name for name in aside]

    def weights(self, step: int) -> dict[str, Tensor]:
        """The model's weights in the checkpoint of that step; raises InputError."""
        with self._opened() as root, checkpoint_folder(root, self._id_of(root, step)) as folder:
            return Record.read(folder).weights(folder)[0]

    def before(self, step: int) -> RollbackState | None:
        """Weights and stepper's state of the newest whole checkpoint that is not after `step`, if there is one."""
        with suppress(InputError), self._opened() as root:
            for each in sorted(filter(self._is_own, checkpoint_ids(root)), key=lambda each: each.step, reverse=True):
                with suppress(InputError):
                    if each.step <= step:
                        checkpoint = read_checkpoint(root, each)
                        return RollbackState(each.step, checkpoint.weights, checkpoint.state)
        return None

    @property
    def branch(self) -> int:
        return self._lineage[-1].id

    def _is_own(self, checkpoint: CheckpointId) -> bool:
        """Whether a checkpoint is one of how this run came about."""
        return checkpoint.step <= branch_ends(self._lineage).get(checkpoint.branch, -1)

    def _id_of(self, root: Folder, step: int) -> CheckpointId:
        """The checkpoint of that step, of the last branch that has one."""
        ids = [CheckpointId(branch.id, step) for branch in self._lineage]
        return next(filter(lambda each: self._is_own(each) and is_written(root, each), ids[::-1]), ids[-1])

    @contextmanager
    def _opened(self) -> Iterator[Folder]:
        """The directory of the checkpoints; raises InputError."""
        try:
            root = self._folder.folder(CHECKPOINTS)
        except FileNotFoundError as error:
            raise self._nothing_to_read() from error
        except OSError as error:
            raise unreadable(self._folder, CHECKPOINTS, error) from error
        try:
            with root:
                yield root
        except OSError as error:
            raise unreadable(self._folder, CHECKPOINTS, error) from error

    def _nothing_to_read(self) -> NoCheckpointError:
        run = visible_line(str(self._folder.path))
        return NoCheckpointError(f"{run} has no checkpoint that can be read: train anew under another name.")

    def _prune(self, root: Folder, best_step: int) -> None:
        for name in filter(LEFT_OVER.fullmatch, root.names()):
            discard(root, name)
        ids = [each for each in checkpoint_ids(root) if each.branch == self.branch and is_written(root, each)]
        kept = {pointed_checkpoint(root, LATEST), pointed_checkpoint(root, BEST), *ids[-self._keep :]}
        for each in ids:
            if each not in kept and each.step != best_step and not asked_for(root, each):
                # Out of sight first: a half-removed directory must not pass for a checkpoint.
                removed = f".removed-{each.name}"
                root.rename(each.name, removed)
                discard(root, removed)
            elif each not in ids[-WITH_ROLLBACK:]:
                with root.folder(each.name) as checkpoint:
                    checkpoint.remove(ROLLBACK)

    def _point(self, root: Folder, progress: Progress) -> None:
        """Let `latest` and `best` name the checkpoints that are so with this progress; raises OSError."""
        wanted = {LATEST: CheckpointId(self.branch, progress.step)}
        if progress.best_loss is not None:
            wanted[BEST] = self._id_of(root, progress.best_step)
        for pointer, checkpoint in wanted.items():
            if pointed_checkpoint(root, pointer) != checkpoint and is_written(root, checkpoint):
                root.replace_text(pointer, checkpoint.name)

    def _write(self, root: Folder, name: str, contents: Contents, reason: str) -> None:
        aside, replaced = f".{name}.partial", f"{REPLACED}{name}"
        discard(root, aside)
        try:
            with root.folder(aside, create=True) as checkpoint:
                write_checkpoint(checkpoint, contents, reason, self._lineage, self._parent)
            with suppress(FileNotFoundError):
                root.rename(name, replaced)
            root.rename(aside, name)
        except BaseException:
            with suppress(OSError):
                discard(root, aside)
                finish_replacing(root)
            raise
        root.sync()
        with suppress(OSError):  # it is tried again when the run is resumed
            finish_replacing(root)
