"""One optimizer step: gradients over the micro-batches, their norm, clipping, the update.

Nothing in it waits for the device: whether an update is to be skipped is decided there, and the numbers of a step are
read back when they have arrived.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.memory import free, smaller, within_memory
from tui_trainer.training.step.batch_loader import BatchLoader
from tui_trainer.training.step.optimizer import Optimizer
from tui_trainer.training.step.precision import LossScale, computing

STEPS_AHEAD: Final = 2
"""Steps that may be under way on an accelerator before the first of them is waited for."""


@dataclass(frozen=True)
class StepResult:
    """The result of step number `step` (from 1): loss in nats per token, norms before the update, its time."""

    step: int
    lr: float
    loss: float
    grad_norm: float
    weight_norm: float
    seconds: float

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


@dataclass(frozen=True)
class _PendingStep:
    step: int
    lr: float
    started: float
    numbers: Tensor
    """Loss, gradient norm, weight norm: on the CPU once `arrived`."""
    arrived: "torch.cuda.Event | None"

    def result(self, seconds: float) -> StepResult:
        loss, grad_norm, weight_norm = self.numbers.tolist()
        return StepResult(self.step, self.lr, loss, grad_norm, weight_norm, seconds)


class Stepper:
    """Takes steps that depend on nothing but the weights, the optimizer's state, the seed and the step's number."""

    def __init__(
        self,
        model: Transformer,
        optimizer: Optimizer,
        make_batch_loader: Callable[[int], BatchLoader],
        batch_size: int,
        accumulate: int,
        clip: float,
        seed: int,
        precision: str = "fp32",
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._make_batch_loader = make_batch_loader
        self._batch_loader = make_batch_loader(batch_size)
        self._batch_size, self._accumulate = batch_size, accumulate
        self.clip = clip
        """The largest norm of a gradient; 0 is any."""
        self._seed = seed
        self._precision = precision
        self._parameters = list(model.parameters())
        self.device = self._parameters[0].device
        self._loss_scale = LossScale(precision, self.device)
        self._last_known = 0.0
        self._pending_steps: deque[_PendingStep] = deque()

    def take(self, step: int, lr: float, interrupted: Callable[[], bool]) -> bool:
        """Take step number `step` (from 0); False when interrupted, with the weights untouched.

        A step whose loss or gradient is not finite leaves the weights as they were. Raises MemoryError when the device
        has too little, the weights and the optimizer's state untouched too.
        """
        started = time.perf_counter()
        # Dropout depends on the step alone, so that pausing, sampling or resuming cannot change what follows.
        torch.manual_seed(self._seed * 1_000_003 + step)
        try:
            numbers = within_memory(lambda: self._compute(step, lr, interrupted))
        except MemoryError:
            self._drop_gradients()
            free()
            raise
        if numbers is None:
            return False
        self._pending_steps.append(_PendingStep(step + 1, lr, started, *_read_back(numbers)))
        return True

    def _compute(self, step: int, lr: float, interrupted: Callable[[], bool]) -> Tensor | None:
        """Gradients and update; what `_update` returns, or None when interrupted."""
        self._drop_gradients()
        loss = torch.zeros((), device=self.device)
        for part in range(self._accumulate):
            if interrupted():
                return None
            loss += self._backward(step * self._accumulate + part)
        return self._update(loss, lr)

    @property
    def sizes(self) -> tuple[int, int]:
        """Sequences in a micro-batch, and micro-batches in a step."""
        return self._batch_size, self._accumulate

    def split(self) -> tuple[int, int] | None:
        """Make every step of more and smaller micro-batches, of the same sequences; None when they are of one.

        Returns their size and how many there are in a step.
        """
        sizes = smaller(*self.sizes)
        if sizes is not None:
            self._batch_size, self._accumulate = sizes
            del self._batch_loader  # first, as the text itself may lie on the device
            self._batch_loader = self._make_batch_loader(self._batch_size)
        return sizes

    def _drop_gradients(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def results(self, wait: bool) -> list[StepResult]:
        """Results of steps that have arrived, each once and in order; with `wait`, all, waiting for the device."""
        arrived: list[_PendingStep] = []
        while self._pending_steps:
            first = self._pending_steps[0]
            if first.arrived is not None and not first.arrived.query():  # type: ignore[no-untyped-call]
                if not wait and len(self._pending_steps) <= STEPS_AHEAD:
                    break
                first.arrived.synchronize()
            arrived.append(self._pending_steps.popleft())
        if not arrived:
            return []
        now = time.perf_counter()
        # When each was done is not known, so they share the time since the one before was.
        seconds = (now - max(arrived[0].started, self._last_known)) / len(arrived)
        self._last_known = now
        return [each.result(seconds) for each in arrived]

    def state(self) -> dict[str, Tensor]:
        """What steps depend on beside the weights, by name; for a checkpoint."""
        return self._optimizer.state() | self._loss_scale.state()

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned; raises KeyError or RuntimeError if it does not fit."""
        self._optimizer.load(state)
        self._loss_scale.load(state)

    def _backward(self, index: int) -> Tensor:
        """Add micro-batch `index`'s share to the gradients; its share of the step's loss."""
        inputs, targets = self._batch_loader.take(index)
        with computing(self._precision, self.device):
            loss = self._model.loss(inputs, targets) / self._accumulate
        (loss * self._loss_scale.value).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _update(self, loss: Tensor, lr: float) -> Tensor:
        """Clip and apply the gradients; loss, gradient norm and weight norm before, shape (3,), on the device."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        self._loss_scale.unscale(gradients)
        grad_norm = torch.nn.utils.get_total_norm(gradients)
        weight_norm = torch.nn.utils.get_total_norm([parameter.detach() for parameter in self._parameters])
        skip = (~torch.isfinite(loss + grad_norm)).float()
        if self.clip:
            torch.nn.utils.clip_grads_with_norm_(self._parameters, self.clip, grad_norm)
        numbers = torch.stack((loss, grad_norm, weight_norm))
        # Last, as what comes after it would find the weights changed when there is no memory for it.
        self._optimizer.step(lr, skip)
        self._loss_scale.update(skip)
        return numbers


def _read_back(numbers: Tensor) -> "tuple[Tensor, torch.cuda.Event | None]":
    """Start copying to the CPU; the event is recorded when that is done, and None if it is done already."""
    if numbers.device.type != "cuda":
        return numbers.cpu(), None
    arriving = torch.empty(numbers.shape, pin_memory=True)
    arriving.copy_(numbers, non_blocking=True)
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()
    return arriving, event
