"""The Textual app: starts a session, which runs in a thread of its own, and shows its snapshots."""

import asyncio
import math
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tui_trainer.run.text import visible_line
from tui_trainer.sessions.base import Session
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.actions import SAMPLES_NUMBER
from tui_trainer.ui.clock import RunningClock
from tui_trainer.ui.job_control import can_be_continued, stop_and_continue_with_job
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.notifications import notifications
from tui_trainer.ui.output.budget import (
    BYTES_PER_SECOND,
    LOW_BYTES_PER_SECOND,
    RECORDING_BYTES_PER_SECOND,
    RefreshBudget,
)
from tui_trainer.ui.output.driver import DiffDriver
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.playback_actions import PlaybackActions
from tui_trainer.ui.screens.away import AwayScreen
from tui_trainer.ui.screens.help import HelpScreen
from tui_trainer.ui.screens.log import LogScreen
from tui_trainer.ui.screens.main import MainScreen
from tui_trainer.ui.screens.quit import QuitScreen, needs_confirmation
from tui_trainer.ui.settings import DEFAULT_SETTINGS, ScreenSettings
from tui_trainer.ui.view import View

FRAME_SECONDS = 0.25
"""Between two looks for a new snapshot."""

HEADER_TICKS, PANE_TICKS = 2, 4
"""Looks after which the header and the panes are drawn."""

REPEAT_SECONDS = 2.0
"""Within which ctrl+c pressed again counts as the same request, such as a key held down: no step is lost by it."""

SWITCH_SECONDS = 1e-4
"""The interpreter's switch interval: how long the screen's thread may hold the GIL while the trainer's waits for it.

With Python's default of 5 ms a small model trains 4 % slower.
"""


class TrainerApp(PlaybackActions):
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, session: Session, title: str, settings: ScreenSettings = DEFAULT_SETTINGS) -> None:
        super().__init__(session, settings)
        self.title = visible_line(title)
        self.detached = False
        """Whether the user left the screen and the run continues."""
        self._interrupted_at = -math.inf
        self.at_once = False
        """Whether the process is to end without waiting for the run to save and end."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left = False
        """Whether `leave` was called, perhaps before the loop ran."""
        self._absence_pending = session.is_attached
        """Whether the screen on what happened while nobody was attached is still to be shown."""
        self._clock = RunningClock()
        rate = RECORDING_BYTES_PER_SECOND if session.is_recording else BYTES_PER_SECOND
        self._budget = RefreshBudget(LOW_BYTES_PER_SECOND if settings.low_bandwidth else rate)
        self._ticks = 0
        self._panes_due = False
        """Whether the panes are to be drawn as soon as that is affordable."""

    def get_default_screen(self) -> Screen[None]:
        self.main_screen = MainScreen(self.title)
        return self.main_screen

    def on_mount(self) -> None:
        self._loop = asyncio.get_running_loop()
        stop_and_continue_with_job(self._driver, partial(self.refresh, layout=True))
        if self._left:
            self.exit()

    def on_ready(self) -> None:
        """Start the session after the first frame: it imports torch, which takes seconds."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self.pull()
        self.set_interval(FRAME_SECONDS, self._tick)
        self.session.start()

    def leave(self) -> None:
        """Exit the app without stopping the run; from any thread, or a signal handler."""
        self._left = True
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.exit)

    def action_detach(self) -> None:
        if self.session.is_attached or not self._unavailable("detach"):
            self.detached = True
            self.exit()

    def _tick(self) -> None:
        """Redraw the header twice a second, as more numbers cannot be read, and the panes half as often."""
        self._ticks += 1
        driver = self._driver if isinstance(self._driver, DiffDriver) else None
        sent, share = driver.bytes_sent if driver else 0, self.view().drawing_share
        affordable = self._budget.may_draw(sent, time.thread_time(), share)
        draw = affordable and self._ticks % HEADER_TICKS == 0 and not (driver and driver.is_congested)
        # Of a recording each picture is another step.
        self._panes_due |= self._ticks % PANE_TICKS == 0 or self.session.is_recording
        self.pull(self._panes_due, charts=False, draw=draw)
        self._panes_due &= not draw

    def on_resize(self) -> None:
        """Before all is drawn anew."""
        if isinstance(self._driver, DiffDriver):
            self._driver.forget()

    def on_app_focus(self) -> None:
        self._budget.focused = True

    def on_app_blur(self) -> None:
        self._budget.focused = False

    def pull(self, panes: bool = True, charts: bool = True, draw: bool = True) -> None:
        """Take a new snapshot if there is one, notify the user of what changed since the last, and `draw`."""
        if self.session.outcome is not None:
            self.exit()
            return
        if self.session.version != self.snapshot.version:
            before, self.snapshot = self.snapshot, self.session.snapshot()
            for item in notifications(before, self.snapshot, self.pending.saving, not self.session.read_only_reason):
                self.say(item.message, severity=item.severity, timeout=item.seconds)
                if item.bell:
                    self.bell()
            self.pending = self.pending.update(before, self.snapshot)
            if (self.options.cursor or 0) > self.snapshot.step:  # its step was dropped, or is yet to be played
                self.options = replace(self.options, cursor=None)
            self._show_absence()
            if isinstance(self.screen, QuitScreen):
                self.screen.update_snapshot(before, self.snapshot)
            if _answers(before) != _answers(self.snapshot):
                panes = draw = True
                charts |= before.state != self.snapshot.state
        self.load_detail()
        if draw:
            self.draw(panes, charts)

    def _show_absence(self) -> None:
        if self._absence_pending and self.snapshot.run is not None:
            self._absence_pending = False
            missed = self.session.missed
            if missed is not None and missed.eventful:
                self.push_screen(AwayScreen(missed, self.snapshot))

    @property
    def samples_shown(self) -> bool:
        return self.main_screen.shows(SAMPLES_NUMBER)

    def draw(self, panes: bool = True, charts: bool = True) -> None:
        self.main_screen.show(self.view(), panes, charts)

    def view(self) -> View:
        snapshot = self._clock.advance(self.snapshot)
        return View(
            snapshot, self.access, self.pending, self.options, self._loaded, self.main_screen.columns, self._budget.rate
        )

    @property
    def focused_chart(self) -> int | None:
        pane = self.main_screen.focused_chart
        return pane.NUMBER if pane else None

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self.access))

    def action_show_log(self) -> None:
        self.push_screen(LogScreen(self.said, self.snapshot.alerts))

    def action_show_pane(self, number: int) -> None:
        self.main_screen.focus_pane(number)
        self._draw_arranged()

    def action_move_focus(self, by: int) -> None:
        self.main_screen.move_focus(by)
        self._draw_arranged()

    def action_maximise(self) -> None:
        self.main_screen.zoom(not self.main_screen.zoomed)
        self._draw_arranged()

    def _draw_arranged(self) -> None:
        """Draw once the panes have their new places, and not before it for the old ones."""
        self.call_after_refresh(self.draw)

    def action_restore(self) -> None:
        if self.options.cursor is not None:
            self.hide_cursor()
        elif self.main_screen.zoomed:
            self.action_maximise()
        else:
            self.say("No pane is maximised. q leaves.")

    async def action_quit(self) -> None:
        """Ask whether to save; while that dialog is open, act as its default choice."""
        asking = [screen for screen in self.screen_stack if isinstance(screen, QuitScreen)]
        if asking:  # the command palette may be open above it
            await asking[0].action_again()
        else:
            self.push_screen(QuitScreen(self.session, self.snapshot))

    def action_suspend_process(self) -> None:
        if can_be_continued():
            super().action_suspend_process()
        else:
            self.say("There is no shell to go back to.")

    async def action_interrupt(self) -> None:
        """Copy the selected text; without one, quit; while the run saves and ends, exit without waiting for it."""
        repeated = time.monotonic() - self._interrupted_at < REPEAT_SECONDS
        self._interrupted_at = time.monotonic()
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
            self.say("Copied.")
        elif isinstance(self.screen, QuitScreen) and self.screen.leaving:
            if not repeated or not needs_confirmation(self.snapshot):
                self.at_once = True
                self.exit()
        else:
            await self.action_quit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for key in KEYS:
            if key.command and self.access.offers(key):
                yield SystemCommand(key.command, f"{key.help} ({key.shown})", partial(self.run_action, key.action))
        for pane in PANES:
            show = partial(self.action_show_pane, pane.NUMBER)
            yield SystemCommand(f"Show {pane.TITLE.lower()}", f"{pane.HELP} ({pane.NUMBER})", show)


def _answers(snapshot: Snapshot) -> tuple[str, str, float, str]:
    """What commands change, so that their effect is shown at once."""
    return snapshot.state, snapshot.model, snapshot.temperature, snapshot.prompt
