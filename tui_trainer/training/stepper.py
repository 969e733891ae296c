"""One optimizer step: gradients over the micro-batches, their norm, clipping, the update."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from tui_trainer.corpus.batches import Batches
from tui_trainer.model.transformer import Transformer
from tui_trainer.training.optimizer import set_lr


@dataclass(frozen=True)
class StepResult:
    """Loss in nats per token, norms before the update, seconds the step took."""

    loss: float
    grad_norm: float
    weight_norm: float
    seconds: float

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


class Stepper:
    """Takes steps that depend on nothing but the weights, the optimizer's state, the seed and the step's number."""

    def __init__(
        self,
        model: Transformer,
        optimizer: torch.optim.Optimizer,
        batches: Batches,
        accumulate: int,
        clip: float,
        seed: int,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._batches = batches
        self._accumulate = accumulate
        self._clip = clip
        self._seed = seed
        self._parameters = list(model.parameters())
        self._device = self._parameters[0].device

    def take(self, step: int, lr: float, interrupted: Callable[[], bool]) -> StepResult | None:
        """Take step number `step` (from 0); None when interrupted, with the weights untouched.

        A step whose loss or gradient is not finite leaves the weights as they were.
        """
        started = time.perf_counter()
        # Dropout depends on the step alone, so that pausing, sampling or resuming cannot change what follows.
        torch.manual_seed(self._seed * 1_000_003 + step)
        self._optimizer.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self._device)
        for part in range(self._accumulate):
            if interrupted():
                return None
            loss += self._backward(step * self._accumulate + part)
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        grad_norm = torch.nn.utils.get_total_norm(gradients)
        weight_norm = torch.nn.utils.get_total_norm([parameter.detach() for parameter in self._parameters])
        # The step's one read-back from the device.
        loss_value, grad_value, weight_value = torch.stack((loss, grad_norm, weight_norm)).tolist()
        if math.isfinite(loss_value) and math.isfinite(grad_value):
            if self._clip:
                torch.nn.utils.clip_grads_with_norm_(self._parameters, self._clip, grad_norm)
            set_lr(self._optimizer, lr)
            self._optimizer.step()
        return StepResult(loss_value, grad_value, weight_value, time.perf_counter() - started)

    def _backward(self, index: int) -> torch.Tensor:
        """Add micro-batch `index`'s share to the gradients; its share of the step's loss."""
        inputs, targets = (torch.from_numpy(ids).to(self._device) for ids in self._batches.batch(index))
        loss = self._model.loss(inputs, targets) / self._accumulate
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()
