"""The command line: makes a configuration and a session of the arguments, and runs them with or without a screen."""

from tui_trainer.cli.entry import main

__all__ = ["main"]
