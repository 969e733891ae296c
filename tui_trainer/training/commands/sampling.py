"""Commands about samples: how they are written, by which model, and one more of them."""

from tui_trainer.run.commands import Generate, SetPrompt, SetTemperature, UseModel
from tui_trainer.training.trainer import Trainer


def set_temperature(trainer: Trainer, command: SetTemperature) -> None:
    trainer.components.sampler.temperature = trainer.components.progress.temperature = command.value


def set_prompt(trainer: Trainer, command: SetPrompt) -> None:
    trainer.components.sampler.prompt = trainer.components.progress.prompt = command.value


def generate(trainer: Trainer, command: Generate) -> None:
    trainer.components.sampler.write_asked()


def use_model(trainer: Trainer, command: UseModel) -> None:
    """Write samples with another model: only a finished run has a choice."""
    if trainer.components.states.state == "finished":
        trainer.components.end.use_model(command.value)
        trainer.components.end.publish_finished()
