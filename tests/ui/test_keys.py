"""Every key, its command and its effect."""

import pytest

from tests import scripted
from tests.driving import driving
from tui_trainer.run.commands import (
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    UseModel,
)
from tui_trainer.ui.actions import ONE_MODEL, changed_by_tenths
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.screens.help import HelpScreen
from tui_trainer.ui.screens.main import MainScreen
from tui_trainer.ui.screens.prompt import PromptScreen
from tui_trainer.ui.screens.quit import QuitScreen

SHORT_RUN = scripted.running(60)


async def test_space_pauses_and_resumes() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("space")
        assert screen.commands == [Pause()]
        assert "PAUSED" in screen.lines[0] and "space resume" in screen.lines[-1]
        await screen.press("space")
        assert screen.commands == [Pause(), Resume()]
        assert "RUNNING" in screen.lines[0]


async def test_the_header_shows_a_pause_once_it_is_applied() -> None:
    async with driving(SHORT_RUN, answer=False) as screen:
        await screen.press("space")
        assert "PAUSED" not in screen.text and "pausing" in screen.lines[0]
        screen.session.reply(Pause())
        await screen.settle()
        assert "PAUSED" in screen.lines[0]


async def test_a_second_space_cancels_a_pending_pause() -> None:
    async with driving(SHORT_RUN, answer=False) as screen:
        await screen.press("space", "space")
        assert screen.commands == [Pause(), Resume()]


async def test_full_stop_takes_one_step_of_a_paused_run() -> None:
    async with driving(scripted.paused(60)) as screen:
        await screen.press(".")
        assert screen.commands == [StepOnce()]
        assert "step    61/5,000" in screen.lines[0]


async def test_full_stop_is_unavailable_while_running() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press(".")
        assert screen.commands == []
        assert screen.notified == ["Pause first (space): a single step is for a paused run."]


async def test_s_saves_and_says_when_it_is_done() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("s")
        assert screen.commands == [SaveCheckpoint()]
        assert screen.notified == ["Saving a checkpoint…", "Saved the checkpoint of step 60."]
        assert "step 60, asked" in screen.text


@pytest.mark.parametrize(("key", "expected"), [("[", 0.5), ("]", 1.1)])
async def test_quick_presses_of_a_bracket_add_up(key: str, expected: float) -> None:
    async with driving(SHORT_RUN, answer=False) as screen:
        await screen.press(key, key, key)
        assert screen.commands[-1] == SetTemperature(value=expected)
        assert f"T 0.80 → {expected:.2f}" in screen.text
        screen.session.reply(screen.commands[-1])
        await screen.settle()
        assert f"T {expected:.2f} " in screen.text and "→" not in screen.text


@pytest.mark.parametrize(
    ("now", "tenths", "then"),
    [(0.8, 1, 0.9), (0.8, -1, 0.7), (0.85, 1, 0.9), (0.85, -1, 0.8), (0.05, -1, 0.0), (0, -1, 0), (2, 1, 2), (3, 1, 3)],
)
def test_the_temperature_stays_between_0_and_2(now: float, tenths: int, then: float) -> None:
    assert changed_by_tenths(now, tenths) == pytest.approx(then)


async def test_a_bracket_at_the_end_of_the_range_says_so() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press(*["["] * 9)
        assert len(screen.commands) == 8
        assert screen.notified == ["The temperature is 0.00; it goes from 0 to 2."]


async def test_g_writes_a_sample() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("g")
        assert screen.commands == [Generate()]
        assert "The wolf was hungry." in screen.text


async def test_g_says_where_the_sample_is_when_its_pane_is_hidden() -> None:
    async with driving(SHORT_RUN, size=(40, 12)) as screen:
        await screen.press("g")
        assert screen.notified == ["Writing a sample: 5 shows it."]


async def test_p_edits_the_prompt() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("p")
        assert isinstance(screen.app.screen, PromptScreen)
        await screen.press("A", "enter")
        assert screen.commands == [SetPrompt(value="A"), Generate()]
        assert "prompt “A”" in screen.text and "Awolf was hungry." in screen.text


async def test_m_switches_between_the_models_of_a_finished_run() -> None:
    async with driving(scripted.overfitted()) as screen:
        assert "last, step 5,000  T 0.80" in screen.text and "best by validation, step 500  T 0.80" in screen.text
        assert "g uses: best  T 0.80" in screen.text and "m model" in screen.lines[-1]
        await screen.press("m")
        assert "g uses: last  T 0.80" in screen.text
        await screen.press("m")
        assert screen.commands == [UseModel(value="last"), UseModel(value="best")]
        assert screen.notified == [
            "g writes with the last model (step 5,000) from now on.",
            "g writes with the best model (step 500) from now on.",
        ]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_finished_run_shows_the_last_models_sample_first(size: tuple[int, int]) -> None:
    async with driving(scripted.overfitted(), size=size) as screen:
        await screen.press("5")
        assert "fox knows this by heart." in screen.text


async def test_quick_presses_of_m_alternate() -> None:
    async with driving(scripted.overfitted(), size=(80, 24), answer=False) as screen:
        await screen.press("m", "m", "m")
        assert [command.argument for command in screen.commands] == ["last", "best", "last"]
        assert "g uses: best → last" in screen.text
        screen.session.reply(screen.commands[-1])
        await screen.settle()
        assert "g uses: last" in screen.text


@pytest.mark.parametrize("events", [scripted.loading(), SHORT_RUN, scripted.finished()])
async def test_m_says_why_there_is_no_choice_of_models(events: list[scripted.Event]) -> None:
    async with driving(events) as screen:
        assert "m model" not in screen.lines[-1]
        await screen.press("m")
        assert screen.commands == []
        assert screen.notified == [ONE_MODEL]


async def test_enter_and_escape_maximise_and_restore() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("2", "enter")
        assert "enter back" in screen.lines[-1]
        assert [pane.display for pane in screen.app.main_screen.query("Pane")] == [
            False,
            True,
            False,
            False,
            False,
            False,
        ]
        await screen.press("escape")
        assert all(pane.display for pane in screen.app.main_screen.query("Pane"))
        await screen.press("escape")
        assert screen.notified == ["No pane is maximised. q leaves."]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_a_digit_shows_and_focuses_its_pane(size: tuple[int, int]) -> None:
    async with driving(SHORT_RUN, size=size) as screen:
        for number, pane in enumerate(PANES, 1):
            await screen.press(str(number))
            assert screen.app.focused is screen.app.main_screen.pane(number)
            assert f"{number} {pane.TITLE} ─" in screen.text


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_tab_cycles_through_the_panes_and_shift_tab_back(size: tuple[int, int]) -> None:
    async with driving(SHORT_RUN, size=size) as screen:
        for key, order in (("tab", [2, 3, 4, 5, 6, 1]), ("shift+tab", [6, 5, 4, 3, 2, 1])):
            visited = []
            for _ in order:
                await screen.press(key)
                visited.append(next(n for n in range(1, 7) if screen.app.focused is screen.app.main_screen.pane(n)))
            assert visited == order


async def test_t_offers_the_themes() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("t")
        assert "textual-light" in screen.text


async def test_question_mark_explains_and_escape_closes() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("?")
        assert isinstance(screen.app.screen, HelpScreen)
        await screen.press("escape")
        assert isinstance(screen.app.screen, MainScreen)


async def test_ctrl_p_searches_the_commands() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("ctrl+p", *"chec", "enter")
        await screen.settle()
        assert screen.commands == [SaveCheckpoint()]


async def test_ctrl_z_suspends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with driving(SHORT_RUN) as screen:
        suspended = []
        monkeypatch.setattr(screen.app, "action_suspend_process", lambda: suspended.append(True))
        await screen.press("ctrl+z")
        assert suspended == [True]


async def test_the_quit_keys_ask_first() -> None:
    async with driving(SHORT_RUN) as screen:
        for key in ("q", "ctrl+q", "ctrl+c"):
            await screen.press(key)
            assert isinstance(screen.app.screen, QuitScreen)
            await screen.press("escape")
            assert isinstance(screen.app.screen, MainScreen)
        assert screen.commands == []


async def test_ctrl_c_copies_what_is_selected() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.press("g")
        screen.app.query(".sample").first().text_select_all()
        await screen.press("ctrl+c")
        assert screen.app.clipboard.endswith("The wolf was hungry.")
        assert screen.notified == ["Copied."] and isinstance(screen.app.screen, MainScreen)
        await screen.press("ctrl+c")
        assert isinstance(screen.app.screen, QuitScreen)


async def test_keys_of_the_charts_wait_for_the_first_step() -> None:
    async with driving(scripted.loading()) as screen:
        await screen.press("c", "plus")
        assert screen.notified == ["The charts begin with the first step."] * 2


async def test_an_unavailable_key_says_why() -> None:
    keys = ["space", ".", "s", "[", "]", "g", "p"]
    async with driving(scripted.loading()) as screen:
        await screen.press(*keys)
        assert screen.commands == []
        assert screen.notified == ["Still loading: this works as soon as training starts."] * len(keys)


async def test_a_finished_run_says_what_can_still_be_done() -> None:
    async with driving([*SHORT_RUN, scripted.StateChanged(state="finished")]) as screen:
        await screen.press("space", ".")
        assert screen.notified == ["The run is finished: g writes samples, s saves, q leaves."] * 2
