"""What was asked of the run and has not happened yet, so that quick keys add up and the screen can say so."""

from dataclasses import dataclass, replace

from tui_trainer.run.state import Snapshot

OVER = ("finished", "stopped", "failed")


@dataclass(frozen=True)
class Wishes:
    state: str | None = None
    """`paused` or `running`, when asked for."""
    temperature: float | None = None
    saving: bool = False
    sample: bool = False

    def settle(self, before: Snapshot, now: Snapshot) -> "Wishes":
        """What is still open once the run has gone from one snapshot to the next."""
        reached = now.state in OVER or now.state == self.state
        return replace(
            self,
            state=None if reached else self.state,
            temperature=None if now.temperature == self.temperature else self.temperature,
            saving=self.saving and now.last_checkpoint is before.last_checkpoint,
            sample=self.sample and now.partial_sample is None and now.samples[:1] == before.samples[:1],
        )
