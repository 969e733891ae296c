"""Resuming: whether a checkpoint fits the configuration and the corpus, and the alert on how the run is resumed."""

from collections.abc import Iterator
from dataclasses import replace

from tui_trainer.config import Config, InputError
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run import alerts
from tui_trainer.run.alerts import Severity
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert
from tui_trainer.run.folder import Folder
from tui_trainer.run.text import visible_line
from tui_trainer.training.build import shape_of
from tui_trainer.training.checkpoints.checkpoint import Checkpoint
from tui_trainer.training.device import setup
from tui_trainer.training.errors import out_of_memory
from tui_trainer.training.planning.plan import check_resolved
from tui_trainer.training.planning.stored_plan import recover_plan
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.divergence import state_error
from tui_trainer.training.recovery.rollback_buffer import RollbackState, restore_state
from tui_trainer.training.step.stepper import Stepper


def fitting_config(
    config: Config, folder: Folder, directory: RunDirectory, checkpoint: Checkpoint, corpus: Corpus
) -> Config:
    """The configuration of a run resumed from a checkpoint; raises InputError if they do not fit."""
    progress = checkpoint.progress
    if reason := state_error(progress.guard):
        raise InputError(reason)
    config = recover_plan(folder, config, progress)
    check_resolved(config, directory.name)
    if progress.batch_size:
        _check_batch(directory, config, progress)
        config = config.update(batch_size=progress.batch_size, accumulate=progress.accumulate)
    if progress.fingerprint != corpus.fingerprint:
        raise InputError(
            f"The corpus of {directory.name} has changed since the run began: restore it, or train a new run."
        )
    # Before a model is made: a configuration can ask for one of any size.
    if checkpoint.shape != replace(shape_of(config, corpus), dropout=0.0):
        raise _misfit(directory)
    return config


def restore(checkpoint: Checkpoint, model: Transformer, stepper: Stepper, directory: RunDirectory) -> None:
    """Load weights and optimizer state from a checkpoint; raises InputError if they do not fit."""
    try:
        restore_state(RollbackState(checkpoint.progress.step, checkpoint.weights, checkpoint.state), model, stepper)
    except (KeyError, RuntimeError) as error:
        if out_of_memory(error):
            raise
        raise _misfit(directory) from error


def describe_resumption(checkpoint: Checkpoint, planned: int) -> Iterator[Alert]:
    """Alerts on how the run is resumed; `planned` is how many steps it had when it was saved."""
    progress = checkpoint.progress
    steps = progress.planned_steps
    if progress.finished:
        early = progress.step < planned
        steps_asked = f"--steps above {progress.step}, other than {planned}" if early else "a larger --steps"
        yield alerts.resume(
            progress.step,
            f"The run has come to its end, at step {progress.step:,} of {planned:,}. "
            f"To train on, resume it with --again, or with {steps_asked}.",
        )
    else:
        yield _compare(checkpoint, "as it would have gone on" if steps == planned else "as it was saved")
    if steps != planned:
        yield alerts.schedule(
            progress.step,
            f"The run now has {steps:,} steps in all, where {planned:,} were planned: "
            "the learning rate follows the schedule of a run of that length.",
        )


def _compare(checkpoint: Checkpoint, unchanged: str) -> Alert:
    """An alert on whether the resumed run is the uninterrupted one to the bit."""
    progress = checkpoint.progress
    now, before = setup(), progress.setup
    changed = [
        f"{name} {before.get(name, '?')}, now {value}" for name, value in now.items() if before.get(name) != value
    ]
    if checkpoint.rollback_states_lost:
        changed.append("the states that it could have rolled back to are missing")
    progress.setup = now
    if changed:
        message = f"Resumed at step {progress.step:,}, approximately: {'; '.join(changed)}."
        return alerts.resume(progress.step, message, Severity.WARNING)
    return alerts.resume(progress.step, f"Resumed at step {progress.step:,}, exactly {unchanged}.")


def _misfit(directory: RunDirectory) -> InputError:
    return InputError(f"The checkpoint of {directory.name} does not fit its config.toml: restore that file.")


def _check_batch(directory: RunDirectory, config: Config, progress: Progress) -> None:
    """Raises InputError where the micro-batches of a checkpoint do not make steps as large as the configured ones."""
    batch_size, accumulate = config.optimizer.batch_size, config.optimizer.accumulate
    if progress.batch_size * progress.accumulate != batch_size * accumulate:
        raise InputError(
            f"The checkpoint of {visible_line(directory.name)} has steps of {progress.batch_size:,} x "
            f"{progress.accumulate:,} sequences, its config.toml of {batch_size:,} x {accumulate:,} (batch_size x "
            "accumulate): restore that file, or move the checkpoint away to go on from the one before it."
        )
