"""The app: runs a session in a worker thread and shows its snapshots."""

import asyncio
import math
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tui_trainer.run.text import visible_line
from tui_trainer.sessions.base import Session
from tui_trainer.ui.actions import SAMPLES_NUMBER, RunActions
from tui_trainer.ui.clock import RunningClock
from tui_trainer.ui.job_control import shell_waits, stop_and_continue_with_job
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.notifications import notifications
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.screens.away import AwayScreen
from tui_trainer.ui.screens.help import HelpScreen
from tui_trainer.ui.screens.main import MainScreen
from tui_trainer.ui.screens.quit import QuitScreen, needs_asking
from tui_trainer.ui.view import View

FRAME_SECONDS = 0.25

HURRIED_SECONDS = 2.0
"""Within which ctrl+c pressed again is the same wish, a key held down or pressed in haste: no step is lost for it."""

SWITCH_SECONDS = 1e-4
"""How long the screen's thread keeps the interpreter while the trainer's waits for it; with Python's own 5 ms a small
model trains 4 % slower."""


class TrainerApp(RunActions):
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, session: Session, title: str) -> None:
        super().__init__(session)
        self.title = visible_line(title)
        self.detached = False
        """Whether the user left a run that goes on."""
        self._interrupted_at = -math.inf
        self.at_once = False
        """Whether the user did not want to wait for the run to save and end."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left = False
        self._tell_absence_once = session.is_attached
        """Whether the user is still to be told what happened in the meantime."""
        self._clock = RunningClock()
        self._ticks = 0

    def get_default_screen(self) -> Screen[None]:
        self.main_screen = MainScreen(self.title)
        return self.main_screen

    def on_mount(self) -> None:
        self._loop = asyncio.get_running_loop()
        stop_and_continue_with_job(self._driver, partial(self.refresh, layout=True))
        if self._left:
            self.exit()

    def on_ready(self) -> None:
        """The first frame stands: now the run may load what it needs."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self.pull()
        self.set_interval(FRAME_SECONDS, self._tick)
        self.session.start()

    def leave(self) -> None:
        """End the screen, not the run; from any thread, or a signal handler."""
        self._left = True
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.exit)

    def action_detach(self) -> None:
        if self.session.is_attached or not self._refused("detach"):
            self.detached = True
            self.exit()

    def _tick(self) -> None:
        """The header follows every tick, the panes every other: two new numbers a second are as many as can be read."""
        self._ticks += 1
        self.pull(panes=self._ticks % 2 == 0)

    def pull(self, panes: bool = True) -> None:
        """Take the run's notifications and show them."""
        if self.session.outcome is not None:
            self.exit()
            return
        if self.session.version != self.snapshot.version:
            before, self.snapshot = self.snapshot, self.session.snapshot()
            for item in notifications(before, self.snapshot, self.pending.saving):
                self.say(item.message, severity=item.severity, timeout=item.seconds)
                if item.rings:
                    self.bell()
            self.pending = self.pending.update(before, self.snapshot)
            self._tell_absence()
            if isinstance(self.screen, QuitScreen):
                self.screen.update_snapshot(before, self.snapshot)
            panes |= before.state != self.snapshot.state
        self.draw(panes)

    def _tell_absence(self) -> None:
        if self._tell_absence_once and self.snapshot.run is not None:
            self._tell_absence_once = False
            missed = self.session.missed
            if missed is not None and missed.eventful:
                self.push_screen(AwayScreen(missed, self.snapshot))

    @property
    def samples_shown(self) -> bool:
        return self.main_screen.shows(SAMPLES_NUMBER)

    def draw(self, panes: bool = True) -> None:
        self.main_screen.offer(self.session.is_attached, bool(self.session.read_only_reason))
        self.main_screen.show(View(self._clock.advance(self.snapshot), self.pending), panes)

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_show_pane(self, number: int) -> None:
        self.main_screen.focus_pane(number)
        self.draw()

    def action_move_focus(self, by: int) -> None:
        self.main_screen.move_focus(by)
        self.draw()

    def action_maximise(self) -> None:
        self.main_screen.zoom(not self.main_screen.zoomed)
        self.draw()

    def action_restore(self) -> None:
        if self.main_screen.zoomed:
            self.action_maximise()
        else:
            self.say("No pane is maximised. q leaves.")

    async def action_quit(self) -> None:
        """Asks whether to save; the second time there is no doubt."""
        asking = [screen for screen in self.screen_stack if isinstance(screen, QuitScreen)]
        if asking:  # the command palette may lie above it
            await asking[0].action_again()
        else:
            self.push_screen(QuitScreen(self.session, self.snapshot))

    def action_suspend_process(self) -> None:
        if shell_waits():
            super().action_suspend_process()
        else:
            self.say("There is no shell to go back to.")

    async def action_interrupt(self) -> None:
        """Copies what is selected; otherwise it is like quit, and then there is no waiting."""
        hurried = time.monotonic() - self._interrupted_at < HURRIED_SECONDS
        self._interrupted_at = time.monotonic()
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
            self.say("Copied.")
        elif isinstance(self.screen, QuitScreen) and self.screen.leaving:
            if not hurried or not needs_asking(self.snapshot):
                self.at_once = True
                self.exit()
        else:
            await self.action_quit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for key in KEYS:
            if key.command:
                yield SystemCommand(key.command, f"{key.help} ({key.shown})", partial(self.run_action, key.action))
        for pane in PANES:
            show = partial(self.action_show_pane, pane.NUMBER)
            yield SystemCommand(f"Show {pane.TITLE.lower()}", f"{pane.HELP} ({pane.NUMBER})", show)
