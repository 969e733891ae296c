"""What was asked of the run and has not happened yet, so that quick keys add up and the screen can say so."""

from dataclasses import dataclass, replace

from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.events import ENDED
from tui_trainer.state.run_state import Snapshot


@dataclass(frozen=True)
class PendingCommands:
    state: str | None = None
    """`paused` or `running`, when asked for."""
    temperature: float | None = None
    model: str | None = None
    """`last` or `best`, when asked for."""
    saving: bool = False
    sample: bool = False

    def update(self, before: Snapshot, now: Snapshot) -> "PendingCommands":
        """What is still open once the run has gone from one snapshot to the next."""
        reached = now.state in ENDED or now.state == self.state
        return replace(
            self,
            state=None if reached else self.state,
            temperature=None if now.temperature == self.temperature else self.temperature,
            model=None if now.model in ("", self.model) else self.model,
            saving=self.saving and now.last_checkpoint == before.last_checkpoint and not _refused(before, now),
            sample=self.sample and now.partial_sample is None and now.samples[:1] == before.samples[:1],
        )


def _refused(before: Snapshot, now: Snapshot) -> bool:
    """Whether a checkpoint could not be saved since `before`."""
    return any(alert.kind == AlertKind.CHECKPOINT and alert not in before.alerts for alert in now.alerts)
