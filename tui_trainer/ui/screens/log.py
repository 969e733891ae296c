"""The log screen: every notification of this screen and every alert of the run that is known, newest first."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import Alert
from tui_trainer.run.text import visible_line
from tui_trainer.ui.key_table import LOG_KEYS
from tui_trainer.ui.keys import bindings

STYLES: Final = {Severity.WARNING.value: "bold $text-warning", Severity.ERROR.value: "bold $text-error"}

DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True)
class Entry:
    """What was said at `time` (unix seconds; 0 if that is not known), after `step` steps."""

    time: float
    step: int
    message: str
    severity: str = Severity.INFO


class LogScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings(LOG_KEYS)

    def __init__(self, said: Iterable[Entry], alerts: Sequence[Alert]) -> None:
        """`alerts` are newest first."""
        super().__init__()
        self._entries = entries(said, alerts)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="log") as scroll:
            scroll.border_title = "Notifications and alerts"
            scroll.border_subtitle = " ".join((LOG_KEYS[0].shown, LOG_KEYS[0].help))
            lines = [_line(entry, time.time()) for entry in self._entries]
            yield Static(Content("\n").join(lines or [Content("Nothing so far.")]), classes="log-lines")


def entries(said: Iterable[Entry], alerts: Sequence[Alert]) -> list[Entry]:
    """Newest first; an alert that was a notification too is told once."""
    told = [Entry(each.time, each.step, visible_line(each.message), each.severity) for each in reversed(alerts)]
    messages = {entry.message for entry in told}
    others = [entry for entry in said if entry.message not in messages]
    return sorted([*told, *others], key=lambda entry: entry.time)[::-1]


def _line(entry: Entry, now: float) -> Content:
    form = "%H:%M:%S" if abs(now - entry.time) < DAY_SECONDS else "%Y-%m-%d"
    when = time.strftime(form, time.localtime(entry.time)) if entry.time else ""
    return Content.assemble(
        (f"{when:<10}  step {entry.step:>7,}  ", "$foreground-muted"), (entry.message, STYLES.get(entry.severity, ""))
    )
