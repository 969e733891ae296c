"""Commands that pause a run, resume it, or take single steps."""

from tui_trainer.run.commands import Pause, Resume, StepOnce
from tui_trainer.training.trainer import Trainer


def pause(trainer: Trainer, command: Pause) -> None:
    states = trainer.components.states
    if states.state == "running" and not trainer.components.end.only_samples_left:
        states.change("paused")
    else:
        states.single_steps = 0


def resume(trainer: Trainer, command: Resume) -> None:
    states = trainer.components.states
    if states.state == "paused":
        states.single_steps = 0
        states.change("running")


def step_once(trainer: Trainer, command: StepOnce) -> None:
    states = trainer.components.states
    if states.state == "paused":
        states.single_steps += 1
