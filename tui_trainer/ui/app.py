"""The app: runs a session in a worker thread and shows its snapshots."""

import asyncio
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tui_trainer.run.commands import Stop
from tui_trainer.run.session import Outcome, Session
from tui_trainer.run.text import visible_line
from tui_trainer.ui.actions import SAMPLES_NUMBER, RunActions
from tui_trainer.ui.clock import RunningClock
from tui_trainer.ui.cockpit import Cockpit
from tui_trainer.ui.keys import KEYS
from tui_trainer.ui.news import news
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.screens.help import HelpScreen
from tui_trainer.ui.screens.quit import QuitScreen

FRAME_SECONDS = 0.25
SWITCH_SECONDS = 1e-4
"""How long the screen's thread keeps the interpreter while the trainer's waits for it; with Python's own 5 ms a small
model trains 4 % slower."""

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class TrainerApp(RunActions):
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [binding for key in KEYS for binding in key.bindings()]

    def __init__(self, session: Session, title: str) -> None:
        super().__init__(session)
        self.title = visible_line(title)
        self.signalled: int | None = None
        """The signal that ended the run, for the exit status."""
        self._clock = RunningClock()
        self._ticks = 0

    def get_default_screen(self) -> Screen[None]:
        self.cockpit = Cockpit(self.title)
        return self.cockpit

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        # What the parent told the process to ignore, as nohup does, stays ignored.
        for number in (number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN):
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._on_signal, number)

    def on_ready(self) -> None:
        """The first frame stands: now the run may load what it needs."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self.pull()
        self.set_interval(FRAME_SECONDS, self._tick)
        self.run_worker(self.session.run, name="session", thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.name == "session" and event.state is WorkerState.ERROR and self.session.outcome is None:
            self.session.outcome = Outcome(1, f"The run ended unexpectedly: {event.worker.error!r}.")

    def on_unmount(self) -> None:
        """However the screen ends, the run does not go on unseen."""
        if self.session.outcome is None:
            self.session.send(Stop(value=True, source="screen"))

    def _on_signal(self, number: int) -> None:
        self.signalled = number
        self.session.send(Stop(value=True, source=signal.Signals(number).name))
        self.say("Stopping: a checkpoint is being saved…")

    def _tick(self) -> None:
        """The header follows every tick, the panes every other: two new numbers a second are as many as can be read."""
        self._ticks += 1
        self.pull(panes=self._ticks % 2 == 0)

    def pull(self, panes: bool = True) -> None:
        """Take the run's news and show them."""
        if self.session.outcome is not None:
            self.exit()
            return
        if self.session.version != self.snapshot.version:
            before, self.snapshot = self.snapshot, self.session.snapshot()
            for item in news(before, self.snapshot, self.wishes.saving):
                self.say(item.message, severity=item.severity, timeout=item.seconds)
            self.wishes = self.wishes.settle(before, self.snapshot)
            panes |= before.state != self.snapshot.state
        self.draw(panes)

    @property
    def samples_shown(self) -> bool:
        return self.cockpit.shows(SAMPLES_NUMBER)

    def draw(self, panes: bool = True) -> None:
        self.cockpit.show(self._clock.advance(self.snapshot), self.wishes, panes)

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_show_pane(self, number: int) -> None:
        self.cockpit.focus_pane(number)
        self.draw()

    def action_move_focus(self, by: int) -> None:
        self.cockpit.move_focus(by)
        self.draw()

    def action_maximise(self) -> None:
        self.cockpit.zoom(not self.cockpit.zoomed)
        self.draw()

    def action_restore(self) -> None:
        if self.cockpit.zoomed:
            self.action_maximise()
        else:
            self.say("No pane is maximised. q leaves.")

    async def action_quit(self) -> None:
        if not isinstance(self.screen, QuitScreen):
            self.push_screen(QuitScreen(self.session, self.snapshot))

    async def action_interrupt(self) -> None:
        """Copies what is selected; otherwise it is like quit, and the second time there is no doubt."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
            self.say("Copied.")
        elif isinstance(self.screen, QuitScreen):
            self.screen.action_leave(True)
        else:
            await self.action_quit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for key in KEYS:
            if key.command:
                yield SystemCommand(key.command, f"{key.help} ({key.shown})", partial(self.run_action, key.action))
        for pane in PANES:
            show = partial(self.action_show_pane, pane.NUMBER)
            yield SystemCommand(f"Show {pane.TITLE.lower()}", f"{pane.HELP} ({pane.NUMBER})", show)
