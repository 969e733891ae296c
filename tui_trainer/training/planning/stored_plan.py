"""A run that is given another length amid its steps: after a kill at any moment it goes by one plan, old or new.

The new configuration waits in a file of its own until a checkpoint knows of it, and then takes the place of the old.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tui_trainer.config import MAX_BYTES, Config
from tui_trainer.run.directory import CONFIG, cannot_write
from tui_trainer.run.folder import Folder
from tui_trainer.training.progress import Progress

REPLANNED: Final = "replanned.toml"


def set_by_length(config: Config) -> dict[str, int]:
    """The options that another length of the run changes, with their values."""
    return {
        "steps": config.schedule.steps,
        "warmup": config.schedule.warmup,
        "eval_every": config.run.eval_every,
        "sample_every": config.sampling.sample_every,
        "checkpoint_every": config.run.checkpoint_every,
    }


def store_plan(folder: Folder, config: Config, save: Callable[[], bool]) -> bool:
    """Make `config` that of the run, `save` saving a checkpoint with its length; whether the run is to go by it.

    Not so where either cannot be saved: then the configuration in the run's directory is the one before.
    """
    try:
        folder.replace_text(REPLANNED, config.to_toml())
        folder.sync()  # a power cut, too, leaves no checkpoint of a plan that is nowhere
        if save():
            with suppress(OSError):  # the checkpoint is saved: a resume finds the plan where it is
                folder.rename(REPLANNED, CONFIG)
            return True
    except OSError:
        pass
    with suppress(OSError):
        folder.remove(REPLANNED)
    return False


def recover_plan(folder: Folder, config: Config, progress: Progress) -> Config:
    """The configuration of a run whose newest checkpoint has `progress`, if it was killed amid `store_plan`.

    Raises InputError where its files cannot be read or written.
    """
    try:
        if not folder.is_file(REPLANNED):
            return config
        replanned = Config.parse(folder.read(REPLANNED, MAX_BYTES), folder.path / REPLANNED)
        if progress.planned_steps == replanned.schedule.steps:
            # What a user has changed in the old file since is kept.
            config = config.update(**set_by_length(replanned))
            folder.replace_text(CONFIG, config.to_toml())
        folder.remove(REPLANNED)
    except OSError as error:
        raise cannot_write(folder.path, error) from error
    return config
