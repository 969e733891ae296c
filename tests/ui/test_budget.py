"""How often the screen may be drawn, by the bytes that it has sent and the time that it has taken."""

from typing import Any

import pytest

from tests import scripted
from tests.driving import driving
from tui_trainer.ui import app
from tui_trainer.ui.charts.widget import Chart
from tui_trainer.ui.output.budget import DEBT_BYTES, DEBT_WAIT, RATE_SECONDS, SAVED_SECONDS, WHOLE_CORE, RefreshBudget


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def drawn(bytes_per_frame: int, allowed: float = 1_000.0, focused: bool = True) -> int:
    """Bytes sent within a hundred seconds, four looks a second."""
    clock, sent = Clock(), 0
    budget = RefreshBudget(allowed, clock)
    budget.focused = focused
    for _ in range(400):
        clock.seconds += 0.25
        sent += bytes_per_frame * budget.may_draw(sent)
    return sent


def test_small_frames_are_always_drawn() -> None:
    assert drawn(100) == 400 * 100


def test_large_frames_are_drawn_as_often_as_their_bytes_allow() -> None:
    assert 0.95 * 100_000 < drawn(700) < 100_000 * (1 + SAVED_SECONDS / 100) + 700
    assert drawn(50_000) > 0


def test_without_the_focus_it_is_a_part() -> None:
    assert drawn(700, focused=False) < 0.3 * 100_000


def test_a_picture_after_a_key_holds_nothing_up_for_long() -> None:
    clock = Clock()
    budget = RefreshBudget(1_000.0, clock)
    budget.may_draw(100_000)
    clock.seconds = DEBT_BYTES / 1_000 + 0.1
    assert budget.may_draw(100_000)


def test_the_rate_is_told_once_it_is_known() -> None:
    clock = Clock()
    budget = RefreshBudget(1_000.0, clock)
    budget.may_draw(0)
    assert budget.rate is None
    clock.seconds = RATE_SECONDS
    budget.may_draw(8_000)
    assert budget.rate == 8_000 / RATE_SECONDS


def drawn_by_processor(seconds_per_frame: float, share: float) -> int:
    """Frames within a hundred seconds, four looks a second."""
    clock, frames = Clock(), 0
    budget = RefreshBudget(1_000.0, clock)
    for _ in range(400):
        clock.seconds += 0.25
        frames += budget.may_draw(0, frames * seconds_per_frame, share)
    return frames


def test_no_more_is_drawn_than_the_share_of_the_processor_allows() -> None:
    assert 0.9 < drawn_by_processor(0.02, share=0.01) * 0.02 < 1.0 + 2 * 0.02
    assert drawn_by_processor(0.001, share=0.01) == 400


def test_while_nothing_is_trained_every_frame_is_drawn() -> None:
    assert drawn_by_processor(0.1, share=WHOLE_CORE) == 400


async def test_the_charts_of_a_running_run_are_drawn_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "FRAME_SECONDS", 1e6)  # no tick but those of this test
    drawn: list[str] = []
    show = Chart.show
    async with driving(scripted.running(), size=(120, 40)) as screen:
        screen.app.pull()

        def note(chart: Chart, *arguments: Any) -> None:
            drawn.append(str(chart.id))
            show(chart, *arguments)

        monkeypatch.setattr(Chart, "show", note)
        for _ in range(4):
            screen.app.pull(charts=False)
        assert len(drawn) == len(set(drawn)) == len(screen.app.query(Chart))
        screen.app.pull()
        assert len(drawn) == 2 * len(screen.app.query(Chart))


def test_a_picture_on_a_slow_link_holds_nothing_up_for_long() -> None:
    clock = Clock()
    budget = RefreshBudget(100.0, clock)
    budget.may_draw(10_000)
    clock.seconds = DEBT_WAIT + 0.1
    assert budget.may_draw(10_000)


async def test_the_effect_of_a_command_is_drawn_whatever_was_spent() -> None:
    async with driving(scripted.running(), size=(120, 40)) as screen:
        screen.session.publish(scripted.CommandApplied(name="set_prompt", value="An owl", source="test"))
        screen.app.pull(panes=False, draw=False)
        await screen.pilot.pause()
        assert "prompt “An owl”" in screen.text
