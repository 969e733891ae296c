"""Which keys have an effect in the state that a run is in."""

from dataclasses import dataclass

from tui_trainer.run.events import ENDED
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.keys import CHARTS, RECORDING, RUN, SAMPLES, Key


@dataclass(frozen=True)
class Access:
    """What a user can do with the run that is shown."""

    state: str = "loading"
    has_steps: bool = False
    """Whether there is anything for the charts to show."""
    has_two_models: bool = False
    """Whether a finished run has a best model beside its last."""
    is_attached: bool = False
    """Whether another process trains the run, so that the screen can detach in any state."""
    read_only: bool = False
    """Whether the session takes no commands."""
    is_played: bool = False
    """Whether it is a recording."""

    @classmethod
    def to(cls, snapshot: Snapshot, is_attached: bool, read_only: bool, is_played: bool = False) -> "Access":
        return cls(snapshot.state, snapshot.step > 0, bool(snapshot.model), is_attached, read_only, is_played)

    def offers(self, key: Key) -> bool:
        """Whether a key of the main screen has an effect now."""
        if self.read_only and (key.group in (RUN, SAMPLES) or key.id == "detach"):
            return False
        if key.group == RECORDING:
            return self.is_played
        if key.group == CHARTS:
            return self.has_steps
        if key.id == "model":
            return self.has_two_models
        return key.works_in(self.state) or (key.id == "detach" and self.is_attached)

    def may_offer(self, key: Key) -> bool:
        """Whether a key has an effect now, or may have one later in the same run."""
        return self.offers(key) or not (self.read_only or self.state in ENDED or key.group == RECORDING)
