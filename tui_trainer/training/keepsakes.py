"""Recent states of a run held in memory, to go back to when a step has done harm."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.stepper import Stepper

MARGIN: Final = 5
"""Steps before trouble was seen within which the harm may have been done."""


@dataclass(frozen=True)
class Keepsake:
    """Weights and what the stepper remembers after `step` steps, in the computer's memory."""

    step: int
    weights: dict[str, Tensor]
    state: dict[str, Tensor]


def copy_state(model: Transformer, stepper: Stepper, step: int) -> Keepsake:
    """A copy that nothing changes later."""
    return Keepsake(step, _copied(model.qwen3_weights()), _copied(stepper.state()))


def put_back(keepsake: Keepsake, model: Transformer, stepper: Stepper) -> None:
    """Make weights and optimizer what they were."""
    model.load_qwen3_weights(keepsake.weights)
    stepper.load(keepsake.state)


def _copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


class Keepsakes:
    """The last two, taken at steps that depend on nothing but the run's length."""

    def __init__(self, steps: int) -> None:
        self._kept: deque[Keepsake] = deque(maxlen=2)
        self.follow(steps)

    def follow(self, steps: int) -> None:
        """Go by another length of the run from now on."""
        self._every = min(200, max(10, steps // 50))

    def due(self, step: int) -> bool:
        return step % self._every == 0

    @property
    def none(self) -> bool:
        return not self._kept

    def take(self, keepsake: Keepsake) -> None:
        self._kept.append(keepsake)

    def before(self, step: int) -> Keepsake:
        """The newest that trouble first seen at `step` cannot have touched, or the oldest there is; newer ones go."""
        while len(self._kept) > 1 and self._kept[-1].step > step - MARGIN:
            self._kept.pop()
        return self._kept[-1]
