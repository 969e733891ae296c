"""What deserves a notification: the difference between two looks at a run, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from textual.notifications import SeverityLevel

from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.events import BEST
from tui_trainer.run.text import visible_line
from tui_trainer.state.run_state import Snapshot

ALERTS_TOLD: Final = 3
"""Alerts told at once; the vitals pane lists them all."""

SEVERITIES: Final[dict[str, SeverityLevel]] = {"warning": "warning", "error": "error"}

NOTIFIED_KINDS: Final = (AlertKind.OTHER_RUNS,)
"""Kinds of alerts that are worth a notification although nothing is wrong."""


@dataclass(frozen=True)
class Notification:
    message: str
    severity: SeverityLevel = "information"
    seconds: float = 4
    rings: bool = False
    """Whether it is worth the terminal's bell."""


def notifications(before: Snapshot, now: Snapshot, saving: bool) -> Iterator[Notification]:
    """`saving` says whether the user waits for a checkpoint. The past of a run that was joined is no notifications."""
    saved = now.last_checkpoint
    if saving and saved is not None and saved != before.last_checkpoint:
        yield Notification(f"Saved the checkpoint of step {saved.step:,}.")
    if before.version == 0:
        return
    known = before.alerts[0] if before.alerts else None
    for alert in takewhile(lambda alert: alert != known, now.alerts[:ALERTS_TOLD]):
        if alert.severity in SEVERITIES or alert.kind in NOTIFIED_KINDS:
            yield Notification(visible_line(alert.message), SEVERITIES.get(alert.severity, "information"), 8)
    if before.model and now.model != before.model:
        yield Notification(f"g writes with the {_model(now)} from now on.")
    if now.state == "finished" != before.state:
        choice = ", m switches between the last model and the best" if now.model else ""
        message = f"Finished after {now.step:,} steps. g writes samples{choice}, s saves, q leaves."
        yield Notification(message, seconds=15, rings=True)
    elif now.state == "failed" != before.state:
        yield Notification("The run has failed: the reason is at the top.", "error", seconds=15, rings=True)


def _model(now: Snapshot) -> str:
    best = now.best_evaluation
    step = best.step if now.model == BEST and best is not None else now.step
    return f"{now.model} model (step {step:,})"
