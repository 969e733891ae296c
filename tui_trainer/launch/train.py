"""Trains in this process, with the screen or headless."""

import sys
from typing import TYPE_CHECKING

from tui_trainer.launch.exits import end_at_once
from tui_trainer.launch.outcome import conclude_training
from tui_trainer.launch.streams import read_keys_from_terminal
from tui_trainer.launch.trainer_process import TrainerProcess
from tui_trainer.ui.settings import ScreenSettings

if TYPE_CHECKING:
    from tui_trainer.training.local import LocalSession


def train(session: "LocalSession", headless: bool, screen: ScreenSettings) -> int:
    """Run a session on a screen, or headless if asked to or without a terminal; returns the exit status."""
    headless = headless or not (sys.stdout.isatty() and sys.stderr.isatty())
    if not headless:
        read_keys_from_terminal()
    trainer = TrainerProcess(session)
    if headless:
        trainer.run_headless()
    else:
        trainer.run_on_screen(screen)
    status = conclude_training(session, trainer.ended_by)
    if session.given_up or not headless or trainer.ended_by is not None:
        end_at_once(status)  # the interpreter's own exit would take seconds
    return status
