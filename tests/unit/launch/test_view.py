"""Viewing a run needs a terminal."""

import pytest

from tests.unit.test_headless import EventSession
from tui_trainer.config import InputError
from tui_trainer.launch.view import view
from tui_trainer.ui.settings import ScreenSettings


def test_without_a_terminal_a_view_is_refused() -> None:
    with pytest.raises(InputError, match="status"):
        view(EventSession(), "woods", ScreenSettings())
