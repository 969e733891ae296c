"""The command line: arguments to a configuration, then a session and a front end."""

from tui_trainer.cli.entry import main

__all__ = ["main"]
