"""Recent states of a run held in memory, to go back to when a step has done harm."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.step.stepper import Stepper

MARGIN: Final = 5
"""Steps before trouble was seen within which the harm may have been done."""


@dataclass(frozen=True)
class RollbackState:
    """Weights and what the stepper remembers after `step` steps, in the computer's memory."""

    step: int
    weights: dict[str, Tensor]
    state: dict[str, Tensor]


def copy_state(model: Transformer, stepper: Stepper, step: int) -> RollbackState:
    """A copy that nothing changes later."""
    return RollbackState(step, _copied(model.qwen3_weights()), _copied(stepper.state()))


def restore_state(state: RollbackState, model: Transformer, stepper: Stepper) -> None:
    """Make weights and optimizer what they were."""
    model.load_qwen3_weights(state.weights)
    stepper.load(state.state)


def _copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


class RollbackBuffer:
    """The last two, taken at steps that depend on nothing but the run's length."""

    def __init__(self, steps: int, kept: Iterable[RollbackState] = ()) -> None:
        """Of a run of so many steps; `kept` are those it had when it was saved."""
        self._kept = deque(kept, maxlen=2)
        self._stand_in: RollbackState | None = None
        """One taken as there was none, though the run had kept others before it was resumed."""
        self.set_length(steps)

    def set_length(self, steps: int) -> None:
        """Go by another length of the run from now on."""
        self._every = min(200, max(10, steps // 50))

    def due(self, step: int) -> bool:
        """Whether one is to be taken at this step; once is enough, and a resumed run may have it."""
        if not self._kept:
            return True
        return step % self._every == 0 and self._kept[-1].step != step

    def take(self, state: RollbackState) -> None:
        if not self._kept and state.step > 0:
            self._stand_in = state
        self._kept.append(state)

    def before(self, step: int) -> RollbackState | None:
        """The newest that trouble first seen at `step` cannot have touched, or the oldest there is; newer ones go."""
        while len(self._kept) > 1 and self._kept[-1].step > step - MARGIN:
            self._kept.pop()
        return self._kept[-1] if self._kept else None

    def exactly(self, state: RollbackState, step: int) -> bool:
        """Whether an uninterrupted run, too, had gone back to this one for trouble first seen at `step`."""
        if state is self._stand_in:
            return state.step % self._every == 0 and state.step <= step - MARGIN
        return any(each is state for each in self._kept)

    def needed(self, step: int) -> list[RollbackState]:
        """Those that `before` may give for trouble first seen at `step` or later, oldest first.

        None where one of them only stands in for those that the run had.
        """
        kept = list(self._kept)
        while len(kept) > 1 and kept[1].step <= step - MARGIN:
            kept.pop(0)
        return [] if any(each is self._stand_in for each in kept) else kept
