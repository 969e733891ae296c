"""Text generation, one token a call, so that a training loop can run in between."""

from typing import Final

import torch
from torch import Tensor

from tui_trainer.model.cache import Cache
from tui_trainer.model.transformer import Transformer

SMALLEST_TEMPERATURE: Final = torch.finfo(torch.float32).tiny
"""Smallest temperature that logits in float32 are divided by."""


def next_token(logits: Tensor, temperature: float, top_k: int, generator: torch.Generator) -> int:
    """Draw from softmax(logits / temperature), logits (vocab_size,), among the `top_k` likeliest (0: all).

    Temperature 0 takes the likeliest, as does one too small for a float32. Drawn on the CPU, so that a seed gives the
    same text on every device.
    """
    # The logits of a diverging model, or a temperature near 0, must not raise an error.
    logits = logits.float().cpu().nan_to_num()
    logits = logits - logits.max()
    if temperature < SMALLEST_TEMPERATURE:
        return int(logits.argmax())
    if 0 < top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(top_k).values[-1], -torch.inf)
    probabilities = torch.softmax(logits / temperature, dim=-1)
    return int(torch.multinomial(probabilities, 1, generator=generator))


class Generation:
    """A text that `model` generates; its weights must not change until the text is done."""

    def __init__(
        self, model: Transformer, prompt: list[int], length: int, temperature: float, top_k: int, seed: int
    ) -> None:
        """Continue `prompt` (at least one id) by `length` tokens; temperature and top_k as in `next_token`."""
        assert prompt
        shape = model.shape
        self.tokens: list[int] = []
        self._model = model
        self._context = shape.context
        self._length = length
        self._temperature = temperature
        self._top_k = top_k
        self._generator = torch.Generator().manual_seed(seed)
        self._device = model.lm_head.weight.device
        self._cache = Cache(shape.layers, shape.heads, shape.context, shape.head_width, model.lm_head.weight)
        self._history = list(prompt)
        self._pending = self._history[-self._context :]
        """Ids that are not in the cache yet."""

    @property
    def done(self) -> bool:
        return len(self.tokens) >= self._length

    @torch.inference_mode()
    def advance(self) -> None:
        """Generate one more token."""
        if self._cache.length + len(self._pending) > self._context:
            # The context is full: restart from its second half, as positions beyond the context were never trained.
            self._cache.clear()
            self._pending = self._history[-max(1, self._context // 2) :]
        logits = self._model(torch.tensor([self._pending], device=self._device), self._cache)[0, -1]
        token = next_token(logits, self._temperature, self._top_k, self._generator)
        self.tokens.append(token)
        self._history.append(token)
        self._pending = [token]
