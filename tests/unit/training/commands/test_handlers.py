"""The table of what a trainer does on a command."""

from tui_trainer.run.commands import COMMANDS
from tui_trainer.training.commands.handlers import HANDLERS


def test_every_command_has_a_handler() -> None:
    assert set(HANDLERS) == set(COMMANDS.values())
