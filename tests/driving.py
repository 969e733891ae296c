"""Drives the app in tests: presses keys, and reads the screen as a user would."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from rich.style import Style
from textual.pilot import Pilot

from tests.scripted import ScriptedSession
from tui_trainer.run.commands import Command
from tui_trainer.run.events import Event
from tui_trainer.sessions.base import Session
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.settings import DEFAULT_SETTINGS, ScreenSettings


class RecordingApp(TrainerApp):
    """Records its notifications."""

    def __init__(self, session: Session, title: str = "fables", settings: ScreenSettings = DEFAULT_SETTINGS) -> None:
        super().__init__(session, title, settings)
        self.notified: list[str] = []

    def notify(self, message: str, **options: Any) -> None:
        assert options["markup"] is False, "text from outside would be read as markup"
        self.notified.append(message)
        super().notify(message, **options)


class Driver:
    def __init__(self, app: RecordingApp, session: ScriptedSession, pilot: Pilot[None]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def settle(self) -> None:
        """Let the app take a new snapshot and draw it."""
        if self.session.outcome is None:
            self.app.pull()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def publish(self, *events: Event) -> None:
        for event in events:
            self.session.publish(event)
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    async def ended(self) -> None:
        """Wait until the session's thread has ended and the app has exited."""
        await self.app.workers.wait_for_complete()
        self.app.pull()
        await self.pilot.pause()

    @property
    def lines(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def styles(self) -> list[Style]:
        """Those of all that is on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return [segment.style for strip in strips for segment in strip if segment.style is not None]

    @property
    def notified(self) -> list[str]:
        return self.app.notified

    @property
    def commands(self) -> list[Command]:
        return self.session.commands


@asynccontextmanager
async def driving(
    events: Sequence[Event],
    size: tuple[int, int] = (120, 40),
    title: str = "fables",
    answer: bool = True,
    is_attached: bool = False,
    **settings: Any,
) -> AsyncIterator[Driver]:
    session = ScriptedSession(events, answer)
    session.is_attached = is_attached
    session.missed = session.snapshot().absence
    app = RecordingApp(session, title, ScreenSettings(**settings))
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, session, pilot)
            await driver.settle()
            yield driver
    finally:
        session.ended.set()
