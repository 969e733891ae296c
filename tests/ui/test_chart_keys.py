"""The keys of the charts: what they show, and the cursor that reads it out."""

import json
from concurrent.futures import Future
from pathlib import Path

import pytest
from textual import events

from tests import scripted
from tests.driving import Driver, RecordingApp, driving
from tui_trainer.history.history import History
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import CheckpointSaved, CommandApplied
from tui_trainer.sessions.replay import ReplaySession
from tui_trainer.ui.charts.widget import Chart


def shown(screen: Driver) -> tuple[float, float]:
    return screen.app.view().window


async def test_zooming_in_shows_half_of_the_steps_and_says_so() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        await screen.press("+", "+")
        start, end = shown(screen)
        assert end - start == 310
        assert "last 310 steps, following" in screen.text
        await screen.press("-", "-")
        assert screen.app.options.viewport.shows_all


async def test_a_frozen_chart_says_which_steps_it_shows() -> None:
    async with driving(scripted.paused()) as screen:
        await screen.press("+", "left")
        assert "frozen" in screen.text and not screen.app.options.viewport.follows
        await screen.press("end")
        assert "frozen" not in screen.text
        await screen.press("f")
        assert "frozen" in screen.text
        await screen.press("0")
        assert screen.app.options.viewport.shows_all


async def test_home_shows_the_first_steps() -> None:
    async with driving(scripted.paused()) as screen:
        await screen.press("+", "+", "home")
        assert shown(screen)[0] == 0


async def test_the_cursor_reads_out_a_step_in_every_pane() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        await screen.press("c", *["left"] * 5)
        step = screen.app.options.cursor
        assert step is not None and step < 1_240
        assert "steps 1,1" in screen.lines[-1] or "step 1,1" in screen.lines[-1]
        assert "tokens" in screen.lines[-1] and "│" in screen.text
        await screen.press("escape")
        assert screen.app.options.cursor is None and "space" in screen.lines[-1]


async def test_the_samples_are_those_up_to_the_cursor() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        assert "step 1,000  T" in screen.text
        await screen.press("c")
        screen.app.action_point_at(800)
        await screen.settle()
        assert "step 1,000  T" not in screen.text and "step 750  T" in screen.text


async def test_the_cursor_names_what_happened_at_its_step() -> None:
    setting = CommandApplied(step=1_240, name="set_temperature", value=0.9, source="user")
    async with driving([*scripted.paused(), setting], size=(120, 40)) as screen:
        await screen.press("c")
        assert "temperature 0.9" in screen.lines[-1]


async def test_a_cursor_that_leaves_the_window_moves_it() -> None:
    async with driving(scripted.paused()) as screen:
        await screen.press("+", "+", "+", "c", *[","] * 15)
        start, end = shown(screen)
        cursor = screen.app.options.cursor
        assert cursor is not None and start <= cursor <= end < 1_240


@pytest.mark.parametrize("unit", ["tokens", "time"])
async def test_the_axis_counts_tokens_or_time(unit: str) -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        await screen.press(*["u"] * (1 if unit == "tokens" else 2))
        assert screen.notified[-1] == f"The axis counts {unit}."
        below = next(at for at, line in enumerate(screen.lines) if "└" in line[3:10]) + 1
        assert ("400k" if unit == "tokens" else "30s") in screen.lines[below]


async def test_the_scale_is_that_of_the_focused_chart() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        await screen.press("1", "y")
        assert screen.app.options.other_scale == {1} and "other scale" in screen.text
        await screen.press("y", "5", "y")
        assert not screen.app.options.other_scale
        assert screen.notified[-1].startswith("Focus a chart")


async def test_the_smoothing_changes() -> None:
    async with driving(scripted.paused()) as screen:
        for strength in ("strong", "none", "light", "normal"):
            await screen.press("a")
            assert screen.notified[-1] == f"Smoothing: {strength}."


async def test_a_click_puts_the_cursor_there() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        await screen.pilot.click("#loss-0", offset=(30, 3))
        cursor = screen.app.options.cursor
        assert cursor is not None and 450 < cursor < 650


async def test_the_wheel_zooms_around_the_step_under_the_mouse() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        chart = screen.app.query_one("#loss-0", Chart)
        step = chart.step_at(30)
        assert step is not None
        for wheel in (events.MouseScrollUp, events.MouseScrollUp, events.MouseScrollDown):
            chart.post_message(wheel(chart, 30, 3, 0, 0, 0, False, False, False))
            await screen.pilot.pause()
        start, end = shown(screen)
        assert end - start == 620 and start < step < end


async def test_dragging_pans() -> None:
    async with driving(scripted.paused(), size=(120, 40)) as screen:
        await screen.press("+")
        await screen.pilot.mouse_down("#loss-0", offset=(30, 3))
        for column in (35, 40):
            chart = screen.app.query_one("#loss-0", Chart)
            chart.post_message(events.MouseMove(chart, column, 3, 5, 0, 1, False, False, False))
        await screen.pilot.mouse_up("#loss-0", offset=(40, 3))
        start, end = shown(screen)
        assert end < 1_240 and end - start == 620 and screen.app.options.cursor is None


async def test_keys_of_the_charts_do_nothing_harmful_before_the_first_step() -> None:
    async with driving(scripted.loading()) as screen:
        await screen.press("+", "-", "c", "left", "right", ",", ";", "home", "end", "f", "a", "y", "u", "0", "escape")
        assert screen.app.return_code is None and "cannot draw" not in screen.text


async def test_zooming_to_a_spike_in_a_long_run_reads_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history has a bucket for several steps; the journal has each of them."""
    monkeypatch.setattr("tui_trainer.history.history.BUCKETS", 64)
    monkeypatch.setattr("tui_trainer.ui.chart_actions.MOST_DETAIL", 64 // 3)
    steps, spike = 600, 437
    lines = [{"event": "run", "run": "long", "format": 2}]
    lines += [{"event": "step", "step": step, "loss": 9.31 if step == spike else 2.0} for step in range(1, steps + 1)]
    (tmp_path / "journal.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    app = RecordingApp(ReplaySession(RunDirectory(tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        while app.snapshot.step < steps:
            await pilot.pause(0.05)
        assert app.snapshot.history.stride > 1
        app.action_point_at(spike)
        for _ in range(10):
            await pilot.press("plus")
            await pilot.pause(0.05)
            app.pull()
        assert app.view().peak() == (spike, 9.31) and app.view().pointed == (spike, spike)
        app.session.leave()


@pytest.mark.parametrize("key", ["+", "-", "c", "left", "0", "home", "end", "f", "a", "y", "u"])
async def test_before_the_first_step_a_key_of_the_charts_says_why_it_does_nothing(key: str) -> None:
    async with driving(scripted.loading()) as screen:
        options = screen.app.options
        await screen.press(key)
        assert screen.app.options == options
        assert screen.notified == ["The charts begin with the first step."]


async def test_the_legend_tells_the_letters_that_can_be_seen() -> None:
    saved = [CheckpointSaved(step=step, path=f"checkpoints/step-{step}", reason="regular") for step in (100, 200)]
    async with driving([*scripted.running(250), *saved]) as screen:
        assert "c checkpoint" in screen.text and "e evaluation" not in screen.text
    async with driving([*scripted.running(250), saved[0]]) as screen:
        assert "e evaluation  c checkpoint" in screen.text


async def test_the_cursor_is_at_the_same_steps_whatever_pane_is_shown() -> None:
    async with driving(scripted.paused(), size=(40, 12)) as screen:
        await screen.press("c", "left", "left")
        line = screen.lines[-1]
        assert "step" in line and "s " in line.partition("to")[2]
        await screen.press("5")
        assert screen.lines[-1] == line


async def test_of_a_run_that_goes_on_its_newest_steps_are_not_read_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(History, "stride", 4)
    asked: list[int] = []
    async with driving(scripted.running(), size=(120, 40)) as screen:
        monkeypatch.setattr(screen.session, "detail", lambda first, last: asked.append(last) or Future())
        await screen.press("+", "+")
        assert shown(screen)[1] > screen.app.snapshot.step and asked == []
        await screen.press("left")
        assert len(asked) == 1
