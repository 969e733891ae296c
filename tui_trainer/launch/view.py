"""Views a run that this process does not train: attached, or replayed."""

import signal
import sys

from tui_trainer.config import InputError
from tui_trainer.launch.outcome import conclude_viewing
from tui_trainer.launch.streams import tolerate_lost_terminal
from tui_trainer.sessions.base import Session
from tui_trainer.ui.settings import ScreenSettings


def view(session: Session, title: str, screen: ScreenSettings) -> int:
    """Show a session on the screen; returns the exit status. Raises InputError without a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("There is no terminal to show the run on: status tells of it in a line.")
    from tui_trainer.ui.app import TrainerApp

    app = TrainerApp(session, title, screen)
    tolerate_lost_terminal(app.leave)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, frame: app.leave())
    app.run()
    session.leave()
    return conclude_viewing(session)
