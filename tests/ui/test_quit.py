"""Quitting: the dialog, the commands it sends, and that the app exits when the session ends."""

import math

import pytest
from textual.binding import Binding

from tests import scripted
from tests.driving import Driver, driving
from tui_trainer.run.commands import Stop
from tui_trainer.run.events import Activity
from tui_trainer.ui import app
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.screens.main import MainScreen
from tui_trainer.ui.screens.quit import QuitScreen

SHORT_RUN = scripted.running(60)


async def expect_end(screen: Driver, *commands: Stop) -> None:
    assert screen.commands == list(commands)
    await screen.ended()
    assert not screen.app.is_running or screen.app._exit


@pytest.mark.parametrize(
    ("keys", "save"),
    [
        (["q", "s"], True),
        (["q", "q"], True),
        (["q", "x"], False),
        (["q", "enter", "enter"], True),
        (["q", "down", "enter"], False),
        (["ctrl+c", "ctrl+c"], True),
        (["ctrl+c", "ctrl+c", "ctrl+c", "ctrl+c"], True),
        (["ctrl+q", "ctrl+q"], True),
        (["ctrl+c", "q"], True),
        (["ctrl+q", "tab", "enter"], False),
    ],
)
async def test_the_choices(keys: list[str], save: bool) -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press(*keys)
        await expect_end(screen, Stop(value=save))


def test_quitting_without_saving_has_a_key_of_its_own() -> None:
    """So that no key of the main screen, pressed again while the dialog is open, does it."""
    bindings = [binding for binding in QuitScreen.BINDINGS if isinstance(binding, Binding)]
    leaving = {key for binding in bindings if binding.action == "leave(False)" for key in binding.key.split(",")}
    assert leaving == {"x"}
    assert leaving.isdisjoint(key for entry in KEYS for key in entry.keys)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_double_click_on_quit_loses_nothing(size: tuple[int, int]) -> None:
    async with driving(SHORT_RUN, size=size) as screen:
        await screen.pilot.click("#keybar", offset=(screen.lines[-1].index(" quit") + 1, 0), times=2)
        assert Stop(value=False) not in screen.commands


@pytest.mark.parametrize("keys", [["q", "escape", "escape"], ["q", "up", "up", "enter"]])
async def test_staying(keys: list[str]) -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press(*keys)
        assert isinstance(screen.app.screen, MainScreen)
        assert screen.commands == []


async def test_the_dialog_shows_the_steps_since_the_last_checkpoint() -> None:
    async with driving(scripted.running(1_001)) as screen:
        await screen.press("q")
        assert "Step 1,001: 1 step since the last checkpoint." in screen.text


@pytest.mark.parametrize("keys", [["q", "s", "ctrl+c"], ["ctrl+c", "ctrl+c", "ctrl+c"]])
async def test_ctrl_c_while_saving_exits_without_waiting(keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "REPEAT_SECONDS", 0.0)
    async with driving(SHORT_RUN, answer=False) as screen:
        await screen.press(*keys[:-1])
        assert not screen.app.at_once
        await screen.press(keys[-1])
        await expect_end(screen, Stop(value=True))
        assert screen.app.at_once


@pytest.mark.parametrize("keys", [["q", "ctrl+c", "ctrl+c"], ["ctrl+c"] * 5])
async def test_ctrl_c_held_down_waits_for_the_checkpoint(keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "REPEAT_SECONDS", math.inf)
    async with driving(SHORT_RUN, answer=False) as screen:
        await screen.press(*keys)
        assert screen.commands == [Stop(value=True)]
        assert not screen.app.at_once and "Ending the step, then saving a checkpoint…" in screen.text


async def test_ctrl_c_twice_while_loading_exits_without_waiting() -> None:
    async with driving(scripted.loading(), answer=False) as screen:
        await screen.press("ctrl+c", "ctrl+c")
        await expect_end(screen, Stop(value=True))
        assert screen.app.at_once


@pytest.mark.parametrize("events", [scripted.paused(60), [*SHORT_RUN, Activity(step=60, doing="validating")]])
async def test_between_steps_no_step_is_waited_for(events: list[scripted.Event]) -> None:
    async with driving(events, answer=False) as screen:
        await screen.press("q", "s")
        assert "Saving a checkpoint…" in screen.text and "Ending the step" not in screen.text


async def test_while_saving_nothing_else_can_be_chosen() -> None:
    async with driving(SHORT_RUN, answer=False) as screen:
        await screen.press("q", "s")
        assert "Ending the step, then saving a checkpoint…" in screen.text
        await screen.press("escape", "q", "enter")
        assert screen.commands == [Stop(value=True)]
        assert isinstance(screen.app.screen, QuitScreen)


@pytest.mark.parametrize(
    ("events", "save"),
    [(scripted.loading(), True), (scripted.finished(), False), (scripted.failed(), False)],
    ids=["loading, and perhaps training by now", "saved", "failed"],
)
async def test_no_question_where_nothing_can_be_lost(events: list[scripted.Event], save: bool) -> None:
    async with driving(events) as screen:
        await screen.press("q")
        await expect_end(screen, Stop(value=save))


async def test_the_mouse_works_too() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("q")
        await screen.pilot.click("#discard")
        await expect_end(screen, Stop(value=False))


async def test_detaching_ends_the_screen_and_not_the_run() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("q", "d")
        assert screen.app.detached and screen.app._exit
        assert screen.commands == [] and screen.session.outcome is None


async def test_the_detach_button_does_the_same() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("q")
        await screen.pilot.click("#detach")
        assert screen.app.detached and screen.commands == []


async def test_the_detach_button_is_hidden_for_a_finished_run() -> None:
    async with driving([*SHORT_RUN, scripted.StateChanged(step=60, state="finished")]) as screen:
        await screen.press("q")
        assert not screen.app.screen.query_one("#detach").display


@pytest.mark.parametrize("events", [scripted.loading(), scripted.finished()], ids=["loading", "saved"])
async def test_a_run_of_another_process_is_never_stopped_without_a_question(events: list[scripted.Event]) -> None:
    async with driving(events, is_attached=True) as screen:
        await screen.press("escape", "q")
        assert screen.app._exit and screen.commands == []


async def test_a_run_of_another_process_can_be_left_in_any_state() -> None:
    async with driving([*SHORT_RUN, scripted.StateChanged(step=60, state="finished")], is_attached=True) as screen:
        await screen.press("enter", "q", "d")
        assert screen.app.detached and screen.commands == []


@pytest.mark.parametrize("keys", [["q", "q"], ["ctrl+c", "ctrl+c"], ["ctrl+q", "ctrl+q"], ["q", "enter"]])
async def test_a_double_press_leaves_a_run_of_another_process_and_stops_nothing(keys: list[str]) -> None:
    async with driving(SHORT_RUN, is_attached=True) as screen:
        await screen.press("escape", *keys)
        assert screen.app.detached and screen.app._exit
        assert screen.commands == []


async def test_a_run_of_another_process_is_stopped_by_a_key_of_its_own() -> None:
    async with driving(SHORT_RUN, is_attached=True) as screen:
        await screen.press("escape", "q", "s")
        await expect_end(screen, Stop(value=True))


async def test_quit_from_the_palette_above_the_dialog_counts_as_the_second_time() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("q", "ctrl+p", *"quit", "enter")
        await screen.settle()
        assert screen.commands == [Stop(value=True)]


async def test_leave_exits_the_app() -> None:
    async with driving(SHORT_RUN) as screen:
        screen.app.leave()
        await screen.settle()
        assert screen.app._exit and not screen.app.detached and screen.commands == []


async def test_the_dialog_counts_the_steps_that_are_taken_meanwhile() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("q")
        before = screen.text
        await screen.publish(scripted.step_event(75))
        assert "Step 75, and no checkpoint so far." in screen.text and "Step 75," not in before


async def test_detaching_from_a_paused_run_does_not_promise_that_it_trains() -> None:
    async with driving(scripted.paused(60)) as screen:
        await screen.press("q")
        assert "Detach: the run stays paused  (d)" in screen.text and "training goes on" not in screen.text
