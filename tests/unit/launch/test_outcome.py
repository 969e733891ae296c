"""What is printed when a session has ended."""

from typing import Any

import pytest

from tests.unit.state.folded import state
from tests.unit.test_headless import EventSession
from tui_trainer.launch.outcome import conclude_training
from tui_trainer.sessions.base import Outcome


def test_what_went_wrong_before_a_run_began_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    session: Any = EventSession()
    session.publish(state("failed", 1.0))
    session.outcome = Outcome(1, "OSError: \x1b]0;owned\x07.", warning="One\x1b[2J\nline")
    assert conclude_training(session, None) == 1
    assert capsys.readouterr().out == "OSError: \u241b]0;owned\u2407.\nOne\u241b[2J\nline\n"
