"""The actions behind the keys: each sends a command to the run, or notifies the user why it cannot."""

import math
import time
from collections import deque
from dataclasses import replace
from typing import Any

from textual.notifications import SeverityLevel

from tui_trainer.run.commands import (
    Command,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    UseModel,
)
from tui_trainer.run.events import BEST, LAST
from tui_trainer.sessions.base import Session
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.access import Access
from tui_trainer.ui.appearance import Appearance
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.screens.log import Entry
from tui_trainer.ui.screens.prompt import PromptScreen
from tui_trainer.ui.settings import ScreenSettings

MAX_TEMPERATURE = 2.0
SAID_KEPT = 200
"""Notifications that the log lists."""

SAMPLES_NUMBER = next(pane.NUMBER for pane in PANES if pane.SHORT == "Samples")

BY_ID = {key.id: key for key in KEYS}

UNAVAILABLE = {
    "loading": "Still loading: this works as soon as training starts.",
    "running": "Pause first (space): a single step is for a paused run.",
    "finished": "The run is finished: g writes samples, s saves, q leaves.",
    "stopped": "The run has stopped: q leaves.",
    "failed": "The run has failed: q leaves.",
}
"""By state of the run: why a key has no effect in it."""

ONE_MODEL = "There is one model to write samples with: only a finished run whose best model is not its last has two."


def changed_by_tenths(value: float, tenths: int) -> float:
    """`value` moved to the next tenths up or down, from 0 to MAX_TEMPERATURE; a value beyond the range is not moved."""
    rounded = math.floor(value * 10 + 1e-6) if tenths > 0 else math.ceil(value * 10 - 1e-6)
    moved = min(MAX_TEMPERATURE, max(0.0, (rounded + tenths) / 10))
    return moved if (moved - value) * tenths > 0 else value


class RunActions(Appearance):
    """The part of the app that sends commands to the run."""

    def __init__(self, session: Session, settings: ScreenSettings) -> None:
        super().__init__(settings)
        self.session = session
        self.snapshot = Snapshot()
        self.pending = PendingCommands()
        self.said: deque[Entry] = deque(maxlen=SAID_KEPT)
        """The notifications so far, oldest first."""

    def draw(self, panes: bool = True) -> None:
        """Show the current snapshot and the pending commands."""
        raise NotImplementedError

    @property
    def access(self) -> Access:
        return Access.to(
            self.snapshot,
            self.session.is_attached,
            bool(self.session.read_only_reason),
            self.session.playback is not None,
        )

    @property
    def samples_shown(self) -> bool:
        """Whether the samples pane is on the screen."""
        raise NotImplementedError

    def say(self, message: str, severity: SeverityLevel = "information", timeout: float = 4) -> None:
        """Show a notification for `timeout` seconds, in place of the one before; the text is never read as markup."""
        self.said.append(Entry(time.time(), self.snapshot.step, message, severity))
        self.notify(message, severity=severity, timeout=timeout, markup=False)

    def on_notify(self) -> None:
        """Before the notification is shown: remove the one that is, so that there is one at a time."""
        self.clear_notifications()
        self.screen.query("ToastHolder").remove()

    def send(self, command: Command, **pending: Any) -> None:
        """Send a command to the session; `pending` are the fields of PendingCommands that it sets."""
        self.session.send(command)
        self.pending = replace(self.pending, **pending)
        self.draw()

    @property
    def _state(self) -> str:
        """The run's state, or the one that was asked for and is not reached yet."""
        return self.pending.state or self.snapshot.state

    def _unavailable(self, key: str) -> bool:
        """Whether a key, by its id, has no effect in the run's state; if so, the user is notified."""
        if not self.session.read_only_reason and BY_ID[key].works_in(self._state):
            return False
        self.say(self.session.read_only_reason or UNAVAILABLE[self._state])
        return True

    def action_toggle_pause(self) -> None:
        if self._unavailable("pause"):
            return
        if self._state == "running":
            self.send(Pause(), state="paused")
        else:
            self.send(Resume(), state="running")

    def action_step_once(self) -> None:
        if not self._unavailable("step"):
            self.send(StepOnce())

    def action_save_checkpoint(self) -> None:
        if not self._unavailable("save"):
            self.say("Saving a checkpoint…", timeout=2)
            self.send(SaveCheckpoint(), saving=True)

    def action_change_temperature(self, tenths: int) -> None:
        """By tenths from the last value requested, so that quick presses add up."""
        if self._unavailable("hotter"):
            return
        now = self.snapshot.temperature if self.pending.temperature is None else self.pending.temperature
        value = changed_by_tenths(now, tenths)
        if value == now:
            self.say(f"The temperature is {now:.2f}; it goes from 0 to {MAX_TEMPERATURE:g}.")
        else:
            self.send(SetTemperature(value=value), temperature=value)

    def action_generate(self) -> None:
        """Where the samples pane is hidden, a notification says where the sample will be."""
        if self._unavailable("generate"):
            return
        self.send(Generate(), sample=True)
        if not self.samples_shown:
            self.say(f"Writing a sample: {SAMPLES_NUMBER} shows it.")

    def action_switch_model(self) -> None:
        """Switch a finished run between its last model and its best, from the one last requested."""
        if self.session.read_only_reason or not self.snapshot.model:
            self.say(self.session.read_only_reason or ONE_MODEL)
            return
        name = LAST if (self.pending.model or self.snapshot.model) == BEST else BEST
        self.send(UseModel(value=name), model=name)

    def action_edit_prompt(self) -> None:
        if not self._unavailable("prompt"):
            self.push_screen(PromptScreen(self.snapshot.prompt), self._use_prompt)

    def _use_prompt(self, prompt: str | None) -> None:
        if prompt is not None:
            self.send(SetPrompt(value=prompt))
            self.action_generate()
