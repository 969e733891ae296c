"""A copy of the weights as they are at one step, for what takes longer than a step."""

import copy

import torch

from tui_trainer.model.transformer import Transformer


class FrozenModel:
    """Makes copies of a model, one at a time and in the same memory; they are uncompiled, and without gradients."""

    def __init__(self, model: Transformer) -> None:
        self._model = model
        self._copy: Transformer | None = None

    def freeze(self) -> Transformer:
        """A copy of the weights as they are now, in place of the one before."""
        if self._copy is None:
            self._copy = copy.deepcopy(self._model).eval().requires_grad_(False)
            self._copy.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_copy_(list(self._copy.parameters()), list(self._model.parameters()))
        return self._copy

    def drop(self) -> None:
        """Give the memory back."""
        self._copy = None
