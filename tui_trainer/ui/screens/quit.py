"""The quit dialog: asks whether to save, then waits for the run to end."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static
from textual.widgets._button import ButtonVariant

from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.commands import Stop
from tui_trainer.run.events import TAKES_COMMANDS, TRAINING
from tui_trainer.run.text import counted
from tui_trainer.sessions.base import Session
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.key_table import QUIT_KEYS
from tui_trainer.ui.keys import bindings

SAVING, STOPPING = "Saving a checkpoint…", "Stopping…"
STEP_FIRST = "Ending the step, then saving a checkpoint…"
"""A step is interrupted only between two of its micro-batches, which may take long."""

KEYS_BY_ID: Final = {key.id: key for key in QUIT_KEYS}
DETACH_PAUSED: Final = "Detach: the run stays paused"

CHOICES: Final = ("detach", "save", "discard", "stay")


class QuitScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings(QUIT_KEYS)

    def __init__(self, session: Session, snapshot: Snapshot) -> None:
        super().__init__()
        self._session = session
        self._snapshot = snapshot
        self.leaving = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Quit"
            yield Static(unsaved(self._snapshot), id="quit-text", classes="explanation")
            for choice in CHOICES:
                yield self._button(choice)

    def _button(self, choice: str) -> Button:
        """A choice and its keys; the key that opened the dialog is one of those for the choice that loses nothing."""
        key = KEYS_BY_ID[choice]
        again = choice == ("detach" if self._session.is_attached else "save")
        keys = " or ".join([key.shown, *[KEYS_BY_ID["again"].shown] * again])
        variant: ButtonVariant = "primary" if choice == "save" else "default"
        paused = choice == "detach" and self._snapshot.state == "paused"
        return Button(f"{DETACH_PAUSED if paused else key.help}  ({keys})", variant, id=choice)

    def on_mount(self) -> None:
        self.query_one("#detach").display = self._session.is_attached or self._snapshot.state in TRAINING
        self.query_one("#detach" if self._session.is_attached else "#save").focus()
        if self._session.read_only_reason or (self._session.is_attached and not needs_confirmation(self._snapshot)):
            self.app.exit()
        elif not needs_confirmation(self._snapshot):
            # A run that is loading may have begun to train by the time it applies this.
            self._leave(Stop(value=self._snapshot.state == "loading"), STOPPING)

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "stay":
            self.action_stay()
        elif event.button.id == "detach":
            await self.action_detach()
        else:
            self.action_leave(event.button.id == "save")

    async def action_again(self) -> None:
        """For a second press of the key that opened the dialog: save and quit, or detach from another process's run."""
        if self._session.is_attached:
            await self.action_detach()
        else:
            self.action_leave(True)

    def action_leave(self, save: bool) -> None:
        saving = STEP_FIRST if self._snapshot.state == "running" and not self._snapshot.activity else SAVING
        self._leave(Stop(value=save), saving if save else STOPPING)

    def _leave(self, command: Stop, message: str) -> None:
        """Send the command to end; the app exits when the run has ended."""
        if self.leaving:
            return
        self.leaving = True
        self._session.send(command)
        for button in self.query(Button):
            button.display = False
        self.query_one("#quit-text", Static).update(message)

    def update_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        """Count the unsaved steps anew; close when the run could not be saved, and so has not ended."""
        self._snapshot = now
        if not self.leaving:
            self.query_one("#quit-text", Static).update(unsaved(now))
        if self.leaving and any(alert.kind == AlertKind.STOP and alert not in before.alerts for alert in now.alerts):
            self.dismiss()

    async def action_detach(self) -> None:
        if not self.leaving:
            await self.run_action("app.detach")

    def action_stay(self) -> None:
        if not self.leaving:
            self.dismiss()


def needs_confirmation(snapshot: Snapshot) -> bool:
    """Whether quitting could lose anything: not while loading, after a failure, or with the last step saved."""
    saved = snapshot.last_checkpoint
    return snapshot.state in TAKES_COMMANDS and not (
        snapshot.state == "finished" and saved is not None and saved.step == snapshot.step
    )


def unsaved(snapshot: Snapshot) -> str:
    saved = snapshot.last_checkpoint
    if saved is None:
        return f"Step {snapshot.step:,}, and no checkpoint so far."
    return f"Step {snapshot.step:,}: {counted(snapshot.step - saved.step, 'step')} since the last checkpoint."
