"""The summary printed when a session has ended, and the exit status."""

import signal
import sys
from typing import TYPE_CHECKING

from tui_trainer.config import InputError
from tui_trainer.launch.exits import BAD_INPUT, FAILED, SIGNALLED
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED
from tui_trainer.run.printing import say
from tui_trainer.run.text import visible
from tui_trainer.sessions.base import Session
from tui_trainer.state.summary import left_alive, left_as_saved, summary

if TYPE_CHECKING:
    from tui_trainer.training.local import LocalSession


def conclude_training(session: "LocalSession", ended_by: int | None) -> int:
    """Wait for the session's end and print a summary of the run; returns the exit status.

    `ended_by` is the signal that stopped the run. Raises InputError for a mistake of the user's.
    """
    session.wait()
    outcome = session.outcome
    if outcome is None:
        return FAILED
    if outcome.error and outcome.status == BAD_INPUT:
        raise InputError(outcome.error)
    if session.snapshot().state == "loading" and not outcome.error:
        say(left_as_saved(session.directory, session.label), sys.stdout)
    else:
        say(_summary(session) or visible(outcome.error), sys.stdout)
    say(visible(outcome.warning), sys.stdout)
    if outcome.status == 0 and ended_by == signal.SIGTERM:
        return SIGNALLED + signal.SIGTERM
    return outcome.status


def conclude_viewing(session: Session) -> int:
    """Print a summary of a run that has ended, or that it continues; returns the exit status.

    Called after `session.leave`. Raises InputError for a mistake of the user's.
    """
    session.wait()
    outcome = session.outcome
    if outcome is None:
        return FAILED
    if outcome.error:
        raise InputError(outcome.error)
    if session.snapshot().state in ENDED:
        say(_summary(session), sys.stdout)
    elif session.is_attached:
        place = session.run_path
        say(left_alive(RunDirectory(place) if place else None, session.snapshot().state), sys.stdout)
    return outcome.status


def _summary(session: Session) -> str:
    text = summary(session.snapshot(), session.compared_samples(), session.run_path)
    return f"\n{text}" if text else ""
