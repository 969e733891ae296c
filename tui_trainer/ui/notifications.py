"""Notifications: the changes between two snapshots that the user is notified of."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from textual.notifications import SeverityLevel

from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.events import BEST
from tui_trainer.run.text import visible_line
from tui_trainer.state.snapshot import Snapshot

MAX_ALERTS: Final = 3
"""Alerts shown as notifications at a time; the vitals pane lists them all."""

SEVERITIES: Final[dict[str, SeverityLevel]] = {"warning": "warning", "error": "error"}

NOTIFIED_KINDS: Final = (AlertKind.OTHER_RUNS,)
"""Kinds of alerts that are shown as notifications whatever their severity."""


@dataclass(frozen=True)
class Notification:
    message: str
    severity: SeverityLevel = "information"
    seconds: float = 4
    bell: bool = False
    """Whether to ring the terminal's bell."""


def notifications(before: Snapshot, now: Snapshot, saving: bool, takes_commands: bool = True) -> Iterator[Notification]:
    """What changed from `before` to `now`; of the first snapshot only the checkpoint, as the rest is the past.

    Nor is there anything new where a recording goes back.

    `saving` says whether the user has asked for a checkpoint that is not saved yet, `takes_commands` whether there is a
    trainer to ask.
    """
    saved = now.last_checkpoint
    if saving and saved is not None and saved != before.last_checkpoint:
        yield Notification(f"Saved the checkpoint of step {saved.step:,}.")
    if before.version == 0 or (now.playing_speed is not None and now.step < before.step):
        return
    known = before.alerts[0] if before.alerts else None
    for alert in takewhile(lambda alert: alert != known, now.alerts[:MAX_ALERTS]):
        if alert.severity in SEVERITIES or alert.kind in NOTIFIED_KINDS:
            yield Notification(visible_line(alert.message), SEVERITIES.get(alert.severity, "information"), 8)
    if takes_commands and before.model and now.model != before.model:
        yield Notification(f"g writes with the {_model(now)} from now on.")
    if now.state == "finished" != before.state:
        choice = ", m switches between the last model and the best" if now.model else ""
        keys = f"g writes samples{choice}, s saves, " if takes_commands else ""
        message = f"Finished after {now.step:,} steps. {keys}q leaves."
        yield Notification(message, seconds=15, bell=True)
    elif now.state == "failed" != before.state:
        yield Notification("The run has failed: the reason is at the top.", "error", seconds=15, bell=True)


def _model(now: Snapshot) -> str:
    best = now.best_evaluation
    step = best.step if now.model == BEST and best is not None else now.step
    return f"{now.model} model (step {step:,})"
