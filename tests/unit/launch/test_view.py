"""Where a run can be looked at."""

import pytest

from tests.unit.test_headless import Told
from tui_trainer.config import InputError
from tui_trainer.launch.view import view


def test_a_run_is_looked_at_on_a_terminal_only() -> None:
    with pytest.raises(InputError, match="status"):
        view(Told(), "woods")
