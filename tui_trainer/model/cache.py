"""The key-value cache for generation: keys and values of the tokens so far."""

import torch
from torch import Tensor


class Cache:
    """Keys and values of up to `context` tokens of one sequence, for every layer."""

    def __init__(self, layers: int, heads: int, context: int, head_width: int, like: Tensor) -> None:
        size = (layers, 1, heads, context, head_width)
        self._keys = torch.empty(size, dtype=like.dtype, device=like.device)
        self._values = torch.empty_like(self._keys)
        self.length = 0
        """Tokens in the cache; the model updates it after its last layer."""

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append keys and values (1, heads, T, head_width) to a layer; returns all it holds, with S >= T for T."""
        end = self.length + keys.shape[2]
        self._keys[layer, :, :, self.length : end] = keys
        self._values[layer, :, :, self.length : end] = values
        return self._keys[layer, :, :, :end], self._values[layer, :, :, :end]

    def clear(self) -> None:
        self.length = 0
