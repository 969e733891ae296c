"""The command to save a checkpoint."""

from tui_trainer.run.commands import SaveCheckpoint
from tui_trainer.run.events import ON_REQUEST
from tui_trainer.training.trainer import Trainer


def save_checkpoint(trainer: Trainer, command: SaveCheckpoint) -> None:
    trainer.components.saving.save(ON_REQUEST)
