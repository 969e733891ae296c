"""Attaching to a run, detaching, and the bell: the dialog on what happened meanwhile, and which keys work."""

import pytest

from tests import scripted
from tests.driving import driving
from tui_trainer.run.events import Alert, CommandApplied, StateChanged
from tui_trainer.ui.screens.away import AwayScreen
from tui_trainer.ui.screens.quit import QuitScreen

DETACHED = CommandApplied(name="detach", value=None, source="keyboard", step=900, time=scripted.BEGIN + 900 * 0.042)


def detached_at_900() -> list[scripted.Event]:
    events = scripted.running(1_240)
    place = next(number for number, event in enumerate(events) if event.step == 901)
    return [*events[:place], DETACHED, *events[place:]]


async def test_attaching_again_shows_what_happened() -> None:
    async with driving(detached_at_900(), is_attached=True) as screen:
        assert isinstance(screen.app.screen, AwayScreen)
        for part in ("While you were away", "340 in 14s, now at 1,240 of 5,000", "at step 1,200", "1 checkpoint"):
            assert part in screen.text


async def test_q_closes_the_dialog_and_asks_whether_to_quit() -> None:
    async with driving(detached_at_900(), is_attached=True) as screen:
        await screen.press("q")
        assert isinstance(screen.app.screen, QuitScreen)
        assert not any(isinstance(below, AwayScreen) for below in screen.app.screen_stack)
        await screen.press("q")
        assert screen.app.detached and screen.commands == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_pause_is_shown_with_its_source(size: tuple[int, int]) -> None:
    pause = CommandApplied(name="pause", value=None, source="command line", step=1_240, time=scripted.BEGIN + 52)
    paused = [*detached_at_900(), pause, StateChanged(state="paused", step=1_240, time=scripted.BEGIN + 52)]
    async with driving(paused, size=size, is_attached=True) as screen:
        assert "paused at step 1,240" in screen.text
        assert "pause at step 1,240, by command line" in screen.text


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_enter_and_escape_close_the_dialog(key: str) -> None:
    async with driving(detached_at_900(), is_attached=True) as screen:
        await screen.press(key)
        assert screen.app.screen is screen.app.main_screen and screen.commands == []


async def test_the_dialog_is_shown_once() -> None:
    async with driving(detached_at_900(), is_attached=True) as screen:
        await screen.press("enter")
        await screen.publish(scripted.step_event(1_241))
        assert screen.app.screen is screen.app.main_screen


async def test_no_dialog_when_nothing_happened() -> None:
    async with driving([*scripted.paused(60), DETACHED], is_attached=True) as screen:
        assert screen.app.screen is screen.app.main_screen


async def test_without_an_earlier_viewer_the_title_is_since_the_start() -> None:
    async with driving(scripted.finished(), is_attached=True) as screen:
        assert "Since the start" in screen.text and "away" not in screen.text
        assert "5,000 in 3m30s, now at 5,000 of 5,000" in screen.text


async def test_no_dialog_while_another_viewer_is_attached() -> None:
    there = CommandApplied(name="attach", value=None, source="keyboard", time=scripted.BEGIN)
    async with driving([there, *scripted.running(60), there], is_attached=True) as screen:
        assert screen.app.screen is screen.app.main_screen


async def test_no_dialog_in_the_process_that_trains() -> None:
    async with driving(detached_at_900()) as screen:
        assert screen.app.screen is screen.app.main_screen


async def test_alerts_are_shown_as_they_are_written() -> None:
    hostile = Alert(step=1_000, kind="x", severity="warning", message="[bold]\x1b[31m red")
    async with driving([*detached_at_900(), hostile], is_attached=True) as screen:
        assert "warning: [bold]␛[31m red" in screen.text


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_dialog_fits_any_screen(size: tuple[int, int]) -> None:
    async with driving(detached_at_900(), size=size, is_attached=True) as screen:
        assert "While you were away" in screen.text and "Steps" in screen.text


async def test_d_exits_the_app_and_sends_no_command() -> None:
    async with driving(scripted.running(60)) as screen:
        await screen.press("d")
        assert screen.app.detached and screen.app._exit
        assert screen.commands == []


@pytest.mark.parametrize(
    ("events", "reason"),
    [(scripted.loading(), "Still loading: this works as soon as training starts."),
     (scripted.finished(), "The run is finished: g writes samples, s saves, q leaves."),
     (scripted.failed(), "The run has failed: q leaves.")],
    ids=["loading", "finished", "failed"],
)  # fmt: skip
async def test_d_says_why_there_is_nothing_to_detach_from(events: list[scripted.Event], reason: str) -> None:
    async with driving(events) as screen:
        await screen.press("d")
        assert screen.notified == [reason] and not screen.app.detached


async def test_in_a_read_only_session_every_command_key_says_why() -> None:
    async with driving(scripted.finished()) as screen:
        screen.session.read_only_reason = "This is a recording."
        await screen.press("space", ".", "s", "[", "]", "g", "p", "d")
        assert screen.commands == []
        assert screen.notified == ["This is a recording."] * 8
        await screen.press("q")
        assert screen.app._exit and screen.commands == []


@pytest.mark.parametrize(("state", "rings"), [("finished", 1), ("failed", 1), ("paused", 0), ("stopped", 0)])
async def test_the_bell_rings_when_a_run_ends(state: str, rings: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with driving(scripted.running(60)) as screen:
        rung: list[bool] = []
        monkeypatch.setattr(screen.app, "bell", lambda: rung.append(True))
        await screen.publish(StateChanged(step=60, state=state))
        await screen.publish(Alert(step=60, kind="x", severity="info", message="later"))
        assert len(rung) == rings


async def test_attaching_to_an_ended_run_rings_no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.driving import RecordingApp

    rung: list[bool] = []
    monkeypatch.setattr(RecordingApp, "bell", lambda self: rung.append(True))
    async with driving(scripted.finished(), is_attached=True):
        assert rung == []


async def test_the_step_axis_flags_a_step_with_an_alert() -> None:
    async with driving(scripted.running(1_240), size=(120, 40)) as screen:
        assert "! alert" in screen.text
    async with driving(scripted.running(600), size=(120, 40)) as screen:
        assert "! alert" not in screen.text
