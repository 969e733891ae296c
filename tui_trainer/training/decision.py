"""What a training loop does next; `decision_maker` decides it, once a step."""

from dataclasses import dataclass

from tui_trainer.run.commands import Command
from tui_trainer.sessions.requests import OpenRequest


@dataclass(frozen=True)
class Decision:
    """Either the commands and requests that have arrived, or else what to do with the next step and after it."""

    commands: tuple[Command, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    stop: bool = False
    """Whether a stop has been asked for, so that long work is to be interrupted."""
    check_length: bool = False
    """Whether the run may need another length, which comes before the step."""
    evaluate: bool = False
    evaluate_quickly: bool = False
    """A sample of the validation part, never together with all of it."""
    save: str = ""
    """Why to save a checkpoint; empty when none is due."""
    sample: bool = False
    publish_resources: bool = False
