"""The table of commands and what a trainer does on each: a new command needs its class, its handler and a line here."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tui_trainer.run.commands import (
    Attach,
    Command,
    Detach,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    Stop,
    UseModel,
)
from tui_trainer.training.commands import running, sampling, saving, stopping
from tui_trainer.training.trainer import Trainer


def change_nothing(trainer: Trainer, command: Command) -> None:
    """Handle a command that is journalled, and has no other effect."""


HANDLERS: Final[Mapping[type[Command], Callable[[Trainer, Any], None]]] = {
    Pause: running.pause,
    Resume: running.resume,
    StepOnce: running.step_once,
    SaveCheckpoint: saving.save_checkpoint,
    SetTemperature: sampling.set_temperature,
    SetPrompt: sampling.set_prompt,
    Generate: sampling.generate,
    UseModel: sampling.use_model,
    Stop: stopping.stop,
    Attach: change_nothing,
    Detach: change_nothing,
}
