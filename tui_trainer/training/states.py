"""The state of a run, published when it changes: running, paused, finished, stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tui_trainer.run.events import Event, StateChanged
from tui_trainer.training.progress import Progress


class RunStates:
    """The state that a run is in, and whether it takes steps. Used by the trainer's thread alone."""

    def __init__(self, progress: Progress, publish: Callable[[Event], None]) -> None:
        self._progress, self._publish = progress, publish
        self._now = self._published = ("", "", "")
        """The state, the reason for it, the model at the end: what they are, and what was last published."""
        self._held = False
        self.single_steps = 0
        """Steps that a paused run is to take."""

    @property
    def state(self) -> str:
        return self._now[0]

    @property
    def stepping(self) -> bool:
        return self.state == "running" or self.single_steps > 0

    def change(self, state: str, reason: str = "", model: str = "") -> None:
        self._now = state, reason, model
        if not self._held:
            self._publish_change()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Publish changes of state after this context only: long work is not interrupted by them."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._publish_change()

    def _publish_change(self) -> None:
        if self._now != self._published:
            self._published = state, reason, model = self._now
            self._publish(StateChanged(step=self._progress.step, state=state, reason=reason, model=model))
