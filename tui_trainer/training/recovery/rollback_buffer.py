"""Recent states of a run in memory, which a rollback restores when the run diverges."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.step.stepper import Stepper

MARGIN: Final = 5
"""Steps before the first sign of divergence whose weights may already be damaged."""


@dataclass(frozen=True)
class RollbackState:
    """Copies on the CPU of the weights and of the stepper's state after `step` steps."""

    step: int
    weights: dict[str, Tensor]
    state: dict[str, Tensor]


def copy_state(model: Transformer, stepper: Stepper, step: int) -> RollbackState:
    """Copy weights and stepper state to the CPU."""
    return RollbackState(step, _copied(model.qwen3_weights()), _copied(stepper.state()))


def restore_state(state: RollbackState, model: Transformer, stepper: Stepper) -> None:
    """Load the weights and the stepper state of `state`."""
    model.load_qwen3_weights(state.weights)
    stepper.load(state.state)


def _copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


class RollbackBuffer:
    """The last two states, copied at steps that depend on the run's length alone."""

    def __init__(self, steps: int, states: Iterable[RollbackState] = ()) -> None:
        """Of a run of `steps` steps; `states` are those of the checkpoint that it is resumed from."""
        self._states = deque(states, maxlen=2)
        self._substitute: RollbackState | None = None
        """The state copied when a run is resumed without its earlier ones; None if there was no need for one."""
        self._no_room_at: int | None = None
        """The step of the last copy that there was no memory for; None if there was for all."""
        self.set_length(steps)

    def set_length(self, steps: int) -> None:
        """Copy states at the steps of a run of `steps` steps."""
        self._every = min(200, max(10, steps // 50))

    def due(self, step: int) -> bool:
        """Whether the state of this step is to be copied, and has not been."""
        if not self._states:
            return self._no_room_at is None or step >= self._no_room_at + self._every
        return step % self._every == 0 and self._states[-1].step != step

    def note_no_room(self, step: int) -> None:
        """There was no memory for a copy at this step: try the next one as many steps later as lie between two."""
        self._no_room_at = step

    def append(self, state: RollbackState) -> None:
        if not self._states and state.step > 0:
            self._substitute = state
        self._states.append(state)

    def before(self, step: int) -> RollbackState | None:
        """The newest state from MARGIN or more steps before `step`, or else the oldest; newer ones are dropped."""
        while len(self._states) > 1 and self._states[-1].step > step - MARGIN:
            self._states.pop()
        return self._states[-1] if self._states else None

    def is_exact(self, state: RollbackState, step: int) -> bool:
        """Whether an uninterrupted run, too, would restore this state for divergence that began at `step`."""
        if state is self._substitute:
            return state.step % self._every == 0 and state.step <= step - MARGIN
        return any(each is state for each in self._states)

    def needed_from(self, step: int) -> list[RollbackState]:
        """The states that `before` may return for divergence that begins at `step` or later, oldest first.

        Empty if one of them is a substitute for states that the run had before it was resumed.
        """
        needed = list(self._states)
        while len(needed) > 1 and needed[1].step <= step - MARGIN:
            needed.pop(0)
        return [] if any(each is self._substitute for each in needed) else needed
