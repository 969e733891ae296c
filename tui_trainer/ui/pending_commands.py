"""Commands that were sent and are not applied yet, so that quick presses add up and the screen can show them."""

from dataclasses import dataclass, replace

from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.events import ENDED
from tui_trainer.state.snapshot import Snapshot


@dataclass(frozen=True)
class PendingCommands:
    state: str | None = None
    """`paused` or `running` if that state was requested."""
    temperature: float | None = None
    model: str | None = None
    """`last` or `best` if that model was requested."""
    saving: bool = False
    sample: bool = False

    def update(self, before: Snapshot, now: Snapshot) -> "PendingCommands":
        """What is still pending after the run has changed from `before` to `now`."""
        reached = now.state in ENDED or now.state == self.state
        return replace(
            self,
            state=None if reached else self.state,
            temperature=None if now.temperature == self.temperature else self.temperature,
            model=None if now.model in ("", self.model) else self.model,
            saving=self.saving and now.last_checkpoint == before.last_checkpoint and not _save_failed(before, now),
            sample=self.sample and now.partial_sample is None and now.samples[:1] == before.samples[:1],
        )


def _save_failed(before: Snapshot, now: Snapshot) -> bool:
    """Whether a checkpoint could not be saved since `before`."""
    return any(alert.kind == AlertKind.CHECKPOINT and alert not in before.alerts for alert in now.alerts)
