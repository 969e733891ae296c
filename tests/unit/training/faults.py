"""Ways to make a run go wrong."""

import math
from collections.abc import Callable, Generator, Iterable

import pytest
import torch

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.probes import validation
from tui_trainer.training.step.stepper import Stepper


def poisoned(monkeypatch: pytest.MonkeyPatch, steps: set[int]) -> None:
    """Make the loss of these steps (from 0) infinite."""
    take_step = Stepper.take

    def take_poisoned(self: Stepper, step: int, lr: float, interrupted: Callable[[], bool]) -> bool:
        model, loss = self._model, Transformer.loss
        if step in steps:
            model.loss = lambda *ids: loss(model, *ids) * math.inf  # type: ignore[method-assign]
        try:
            return take_step(self, step, lr, interrupted)
        finally:
            model.__dict__.pop("loss", None)

    monkeypatch.setattr(Stepper, "take", take_poisoned)


def found_losses(monkeypatch: pytest.MonkeyPatch, losses: Iterable[float]) -> None:
    """Have evaluations find these, one after the other."""
    left = iter(losses)

    def evaluation(*_: object) -> Generator[None, None, float]:
        yield
        return next(left)

    monkeypatch.setattr(validation, "evaluation", evaluation)


def spoiled_gradients(monkeypatch: pytest.MonkeyPatch, steps: set[int]) -> None:
    """Make one number in the gradient of these steps none, though their loss is as it should be."""
    take_step, update = Stepper.take, Stepper._update
    now = -1

    def take_spoiled(self: Stepper, step: int, lr: float, interrupted: Callable[[], bool]) -> bool:
        nonlocal now
        now = step
        return take_step(self, step, lr, interrupted)

    def update_spoiled(self: Stepper, loss: torch.Tensor, lr: float) -> torch.Tensor:
        gradient = self._parameters[0].grad
        if now in steps and gradient is not None:
            gradient.view(-1)[0] = math.nan
        return update(self, loss, lr)

    monkeypatch.setattr(Stepper, "take", take_spoiled)
    monkeypatch.setattr(Stepper, "_update", update_spoiled)


def damaged_weights(monkeypatch: pytest.MonkeyPatch, steps: set[int], factor: float) -> None:
    """Multiply the weights before these steps, as a burst of bad luck, or of bad memory, may."""
    take_step = Stepper.take

    def take_damaged(self: Stepper, step: int, lr: float, interrupted: Callable[[], bool]) -> bool:
        if step in steps:
            with torch.no_grad():
                for parameter in self._parameters:
                    parameter.mul_(factor)
        return take_step(self, step, lr, interrupted)

    monkeypatch.setattr(Stepper, "take", take_damaged)


def crowded(monkeypatch: pytest.MonkeyPatch, most: int, after: int = 0) -> list[int]:
    """A device with room for micro-batches of `most` sequences, from call `after` on; the sizes asked of it."""
    loss, asked = Transformer.loss, list[int]()

    def loss_with_room(self: Transformer, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        asked.append(len(ids))
        if self.training and len(asked) > after and len(ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return loss(self, ids, targets)

    monkeypatch.setattr(Transformer, "loss", loss_with_room)
    return asked
