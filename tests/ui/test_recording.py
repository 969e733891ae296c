"""A recording on the screen: it is played, paused, and sought through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from tests import scripted
from tests.driving import Driver, RecordingApp, driving
from tests.unit.run.journals import write_journal
from tui_trainer.run.directory import RunDirectory
from tui_trainer.sessions import replay
from tui_trainer.sessions.playback import Playback
from tui_trainer.sessions.replay import ReplaySession
from tui_trainer.ui.clock import RunningClock

STEPS = 5_000


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "Playback", partial(Playback, now=lambda: 0.0))


@asynccontextmanager
async def recording(path: Path) -> AsyncIterator[tuple[Driver, Playback]]:
    """Of a finished run, paused at its beginning."""
    write_journal(path, *scripted.finished())
    session = ReplaySession(RunDirectory(path), played=True)
    app = RecordingApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = Driver(app, cast(scripted.ScriptedSession, session), pilot)
        while session.playback is None:
            await pilot.pause(0.02)
        session.playback.jump(1)
        session.playback.toggle()
        app.pull()
        try:
            yield screen, session.playback
        finally:
            session.leave()


async def test_it_is_paused_and_played_by_space(tmp_path: Path) -> None:
    async with recording(tmp_path) as (screen, playback):
        assert "PAUSED" in screen.lines[0] and "step     1/5,000" in screen.lines[0]
        await screen.press("space")
        assert playback.playing and "PLAYING" in screen.lines[0]


async def test_its_speed_is_changed_and_told(tmp_path: Path) -> None:
    async with recording(tmp_path) as (screen, playback):
        before = playback.speed
        await screen.press(">", ">", "<")
        assert playback.speed == 2 * before
        assert f"at {playback.speed:g}×" in screen.lines[0]


async def test_it_is_sought_by_the_cursor(tmp_path: Path) -> None:
    async with recording(tmp_path) as (screen, playback):
        await screen.press("j")
        assert "FINISHED" in screen.lines[0] and screen.app.snapshot.step == STEPS
        await screen.press("c", ",", ",")
        cursor = screen.app.options.cursor
        assert cursor is not None and cursor < STEPS
        await screen.press("j")
        assert "PLAYING" in screen.lines[0] and abs(playback.step - cursor) <= 1
        assert screen.app.options.cursor is None
        assert screen.app.snapshot.samples[0].step <= playback.step


async def test_a_cursor_beyond_what_is_played_is_hidden(tmp_path: Path) -> None:
    async with recording(tmp_path) as (screen, playback):
        await screen.press("j", "c", "space")
        assert playback.step == 0 and screen.app.options.cursor is None


async def test_what_is_passed_on_the_way_back_is_not_told_again(tmp_path: Path) -> None:
    async with recording(tmp_path) as (screen, playback):
        await screen.press("j")
        told = list(screen.notified)
        assert any("Finished" in message for message in told)
        playback.jump(2_000)
        await screen.settle()
        assert screen.app.snapshot.alerts and screen.notified == told


async def test_a_run_that_is_trained_is_no_recording() -> None:
    async with driving(scripted.running(60)) as screen:
        await screen.press("j", ">")
        assert screen.notified == ["Only a recording is played: replay opens one."] * 2
        assert "speed" not in screen.lines[-1]


async def test_its_elapsed_time_is_that_of_the_run(tmp_path: Path) -> None:
    async with recording(tmp_path) as (screen, playback):
        playback.jump(2_000)
        screen.app.pull()
        assert screen.app.snapshot.playing_speed
        seconds = iter([0.0, 5.0, 10.0])
        clock = RunningClock(now=lambda: next(seconds, 15.0))
        shown = [clock.advance(screen.app.snapshot).elapsed for _ in range(2)]
        assert shown == [screen.app.snapshot.elapsed] * 2
