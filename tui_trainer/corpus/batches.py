"""Token arrays to batches: a pure function of the seed and the batch's number, without a copy of the corpus."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from tui_trainer.config import InputError


def windows_in_epoch(tokens: int, context: int) -> int:
    """How many windows a pass over so many tokens has, whatever its phase."""
    return max(1, (tokens - context) // context)


class Batches:
    """Shuffled windows of the training part, each exactly once an epoch.

    Of N tokens and context T an epoch has W = max(1, (N - T) // T) windows; they start T apart, at a phase that changes
    with the epoch, so that over the epochs every token is met at every place of a window.
    """

    def __init__(self, tokens: np.ndarray, context: int, batch_size: int, seed: int) -> None:
        if len(tokens) <= context:
            raise InputError(
                f"The training part has {len(tokens):,} tokens, too few for --context {context}: "
                "give more text, or a smaller --context."
            )
        # A plain view: slicing a memmap object costs several times as much.
        self._tokens = tokens.view(np.ndarray)
        self._context, self._batch_size, self._seed = context, batch_size, seed
        self.windows_per_epoch = windows_in_epoch(len(tokens), context)
        # A batch may straddle two epochs; older ones are made anew should they be asked for.
        self._plan = lru_cache(maxsize=2)(self._make_plan)

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of micro-batch `index` of the run, both int64 of shape (batch_size, context)."""
        inputs, targets = np.empty((2, self._batch_size, self._context), dtype=np.int64)
        first = index * self._batch_size
        for row in range(self._batch_size):
            start = self._start(first + row)
            inputs[row] = self._tokens[start : start + self._context]
            targets[row] = self._tokens[start + 1 : start + self._context + 1]
        return inputs, targets

    def _start(self, sequence: int) -> int:
        epoch, place = divmod(sequence, self.windows_per_epoch)
        phase, order = self._plan(epoch)
        return phase + int(order[place]) * self._context

    def _make_plan(self, epoch: int) -> tuple[int, np.ndarray]:
        """The phase of an epoch and the order of its windows."""
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, epoch])))
        spare = len(self._tokens) - self.windows_per_epoch * self._context
        phase = int(generator.integers(0, min(self._context, spare)))
        return phase, generator.permutation(self.windows_per_epoch)


def validation_windows(tokens: np.ndarray, context: int, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The whole part, every target once: int64, shape (rows <= batch_size, context), then a shorter row at last."""
    tokens = tokens.view(np.ndarray)
    targets = len(tokens) - 1
    full = targets // context
    for first in range(0, full, batch_size):
        rows = min(batch_size, full - first)
        yield _window(tokens, first * context, rows, context)
    if targets > full * context:
        yield _window(tokens, full * context, 1, targets - full * context)


def _window(tokens: np.ndarray, start: int, rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    end = start + rows * width
    inputs, targets = tokens[start:end].astype(np.int64), tokens[start + 1 : end + 1].astype(np.int64)
    return inputs.reshape(rows, width), targets.reshape(rows, width)
