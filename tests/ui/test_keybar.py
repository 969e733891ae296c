"""The key bar, and the table that it is made from."""

import pytest

from tests import scripted
from tests.driving import driving
from tui_trainer.run.commands import (
    Pause,
    SetTemperature,
)
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keys import markdown_table

SHORT_RUN = scripted.running(60)


@pytest.mark.parametrize(
    ("events", "is_attached", "read_only_reason", "shown"),
    [
        (scripted.loading(), False, "", ["?", "q"]),
        (SHORT_RUN, False, "", ["space", "s", "[", "g", "p", "+", "c", "?", "d", "q"]),
        (scripted.paused(60), False, "", ["space", ".", "s", "[", "g", "p", "+", "c", "?", "d", "q"]),
        (scripted.finished(), False, "", ["s", "[", "g", "p", "+", "c", "?", "q"]),
        (scripted.overfitted(), False, "", ["s", "[", "g", "m", "p", "+", "c", "?", "q"]),
        (scripted.failed(), False, "", ["+", "c", "?", "q"]),
        (scripted.finished(), True, "", ["s", "[", "g", "p", "+", "c", "?", "d", "q"]),
        (scripted.overfitted(), True, "The trainer has ended: q leaves.", ["+", "c", "?", "q"]),
    ],
    ids=["loading", "running", "paused", "finished", "two models", "failed", "viewed", "viewed, trainer ended"],
)  # fmt: skip
async def test_the_key_bar_shows_the_available_keys(
    events: list[scripted.Event], is_attached: bool, read_only_reason: str, shown: list[str]
) -> None:
    async with driving(events, is_attached=is_attached) as screen:
        screen.session.read_only_reason = read_only_reason
        await screen.press("escape")
        keys = {"]", "enter", *(key.shown for key in KEYS if key.label)}
        assert [word for word in screen.lines[-1].split() if word in keys - {"]", "-", "enter"}] == shown


async def test_the_key_bar_can_be_clicked() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.pilot.click("#keybar", offset=(3, 0))
        await screen.settle()
        await screen.pilot.click("#keybar", offset=(screen.lines[-1].index("]"), 0))
        paused, warmer = screen.commands
        assert paused == Pause()
        assert isinstance(warmer, SetTemperature) and warmer.value == pytest.approx(0.9)


def test_the_readme_table_names_every_key() -> None:
    lines = markdown_table(KEYS).splitlines()
    assert lines[:2] == ["| Key | What it does |", "| --- | --- |"]
    assert len(lines) == 2 + len(KEYS)
    assert "| `space` | Pause the training, or go on. |" in lines


def test_no_key_has_two_actions() -> None:
    keys = [key for entry in KEYS for key in entry.keys]
    assert len(keys) == len(set(keys))
