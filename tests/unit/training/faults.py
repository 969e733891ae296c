"""Ways to make a run go wrong."""

import math
from collections.abc import Callable

import pytest

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.stepper import Stepper


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
