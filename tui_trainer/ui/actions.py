"""What the keys do: turns them into commands to the run, or into a sentence on why not."""

import math
from dataclasses import replace
from typing import Any

from textual.app import App
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
from tui_trainer.state.run_state import Snapshot
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.screens.prompt import PromptScreen

HOTTEST = 2.0
SAMPLES_NUMBER = next(pane.NUMBER for pane in PANES if pane.SHORT == "Samples")

BY_ID = {key.id: key for key in KEYS}

REFUSALS = {
    "loading": "Still loading: this works as soon as training starts.",
    "running": "Pause first (space): a single step is for a paused run.",
    "finished": "The run is finished: g writes samples, s saves, q leaves.",
    "stopped": "The run has stopped: q leaves.",
    "failed": "The run has failed: q leaves.",
}
"""Why a key does nothing in a state of the run."""

ONE_MODEL = "There is one model to write samples with: only a finished run whose best model is not its last has two."


def changed_by_tenths(value: float, tenths: int) -> float:
    """`value` moved to the next tenths up or down, within 0 and HOTTEST; it stays where that would turn it back."""
    rounded = math.floor(value * 10 + 1e-6) if tenths > 0 else math.ceil(value * 10 - 1e-6)
    moved = min(HOTTEST, max(0.0, (rounded + tenths) / 10))
    return moved if (moved - value) * tenths > 0 else value


class RunActions(App[None]):
    """The part of the app that steers the run."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.snapshot = Snapshot()
        self.pending = PendingCommands()

    def draw(self, panes: bool = True) -> None:
        """Show the present snapshot and pending."""
        raise NotImplementedError

    @property
    def samples_shown(self) -> bool:
        raise NotImplementedError

    def say(self, message: str, severity: SeverityLevel = "information", timeout: float = 4) -> None:
        """A short notification; the text is shown as it is."""
        self.notify(message, severity=severity, timeout=timeout, markup=False)

    def ask(self, command: Command, **pending: Any) -> None:
        """Send a command, and remember what should come of it."""
        self.session.send(command)
        self.pending = replace(self.pending, **pending)
        self.draw()

    @property
    def _state(self) -> str:
        """The run's state, or the one it is on its way to."""
        return self.pending.state or self.snapshot.state

    def _refused(self, key: str) -> bool:
        """Whether the run's state leaves a key nothing to do; if so, the user is told."""
        if not self.session.read_only_reason and BY_ID[key].works_in(self._state):
            return False
        self.say(self.session.read_only_reason or REFUSALS[self._state])
        return True

    def action_toggle_pause(self) -> None:
        if self._refused("pause"):
            return
        if self._state == "running":
            self.ask(Pause(), state="paused")
        else:
            self.ask(Resume(), state="running")

    def action_step_once(self) -> None:
        if not self._refused("step"):
            self.ask(StepOnce())

    def action_save_checkpoint(self) -> None:
        if not self._refused("save"):
            self.say("Saving a checkpoint…", timeout=2)
            self.ask(SaveCheckpoint(), saving=True)

    def action_change_temperature(self, tenths: int) -> None:
        """By tenths from the value last asked for, so that quick presses add up."""
        if self._refused("hotter"):
            return
        now = self.snapshot.temperature if self.pending.temperature is None else self.pending.temperature
        value = changed_by_tenths(now, tenths)
        if value == now:
            self.say(f"The temperature is {now:.2f}; it goes from 0 to {HOTTEST:g}.")
        else:
            self.ask(SetTemperature(value=value), temperature=value)

    def action_generate(self) -> None:
        """Where the samples pane has no room, the key would seem to do nothing without a word."""
        if self._refused("generate"):
            return
        self.ask(Generate(), sample=True)
        if not self.samples_shown:
            self.say(f"Writing a sample: {SAMPLES_NUMBER} shows it.")

    def action_switch_model(self) -> None:
        """Between the last model and the best of a finished run, from the one last asked for."""
        if self.session.read_only_reason or not self.snapshot.model:
            self.say(self.session.read_only_reason or ONE_MODEL)
            return
        name = LAST if (self.pending.model or self.snapshot.model) == BEST else BEST
        self.ask(UseModel(value=name), model=name)

    def action_edit_prompt(self) -> None:
        if not self._refused("prompt"):
            self.push_screen(PromptScreen(self.snapshot.prompt), self._use_prompt)

    def _use_prompt(self, prompt: str | None) -> None:
        if prompt is not None:
            self.ask(SetPrompt(value=prompt))
            self.action_generate()
