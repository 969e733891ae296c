"""Help, prompt and the command palette."""

import pytest

from tests import scripted
from tests.driving import driving
from tui_trainer.run.commands import Generate, SetPrompt
from tui_trainer.ui.access import Access
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keys import RECORDING
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.screens.help import key_list

SHORT_RUN = scripted.running(60)

PLAYED = "play slower faster jump"
"""Keys of a recording."""


def test_help_lists_every_key() -> None:
    text = key_list(Access(is_played=True)).plain
    assert all(key.help in text and key.shown in text for key in KEYS)


@pytest.mark.parametrize(
    ("access", "missing"),
    [
        (Access(state="finished", has_steps=True), f"pause step model {PLAYED} detach"),
        (Access(state="finished", has_steps=True, is_attached=True), f"pause step model {PLAYED}"),
        (
            Access(state="finished", has_steps=True, has_two_models=True, read_only=True, is_played=True),
            "pause step save cooler hotter generate model prompt detach",
        ),
    ],
    ids=["finished", "viewed", "recording"],
)
def test_help_of_an_ended_run_leaves_out_what_has_no_effect_any_more(access: Access, missing: str) -> None:
    text = key_list(access).plain
    assert [key.id for key in KEYS if key.help not in text] == missing.split()


async def test_the_palette_offers_what_has_an_effect() -> None:
    async with driving(scripted.overfitted()) as screen:
        screen.session.read_only_reason = "This is a recording."
        offered = [command.title for command in screen.app.get_system_commands(screen.app.screen)]
        assert "Quit" in offered and "Zoom in" in offered
        assert not {"Pause or resume", "Write a sample", "Detach from the run"} & set(offered)
        await screen.press("escape")
        assert "g uses" not in screen.text


async def test_help_explains_every_pane_and_scrolls_at_80x24() -> None:
    async with driving(SHORT_RUN, size=(80, 24)) as screen:
        await screen.press("?")
        assert "The run" in screen.text and "Vitals" not in screen.text
        await screen.press("end")
        await screen.settle()
        assert PANES[-1].TITLE in screen.text and "for the last checkpoint." in screen.text


async def test_the_main_screens_keys_are_inactive_while_a_dialog_is_open() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("?", "space", "s", "g")
        assert screen.commands == []


async def test_the_prompt_dialog_starts_with_the_present_prompt() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("p", "end", "x", "enter")
        assert screen.commands == [SetPrompt(value="The x"), Generate()]


async def test_escape_keeps_the_prompt() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("p", "x", "escape")
        assert screen.commands == []


async def test_an_unchanged_prompt_is_sent_as_it_was() -> None:
    prompt = "two\nlines"
    events = [*SHORT_RUN, scripted.CommandApplied(name="set_prompt", value=prompt, source="test")]
    async with driving(events) as screen:
        await screen.press("p", "enter")
        assert screen.commands[0] == SetPrompt(value=prompt)


async def test_the_palette_lists_the_keys_and_the_panes() -> None:
    async with driving(SHORT_RUN) as screen:
        titles = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
    later = {"Take one step", "Switch between the last model and the best"}
    assert {key.command for key in KEYS if key.command and key.group != RECORDING} - titles == later
    assert {f"Show {pane.TITLE.lower()}" for pane in PANES} <= titles
