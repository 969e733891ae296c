"""Token arrays to batches: a pure function of the seed and the batch's number, without a copy of the corpus."""

from collections.abc import Iterator

import numpy as np

from tui_trainer.corpus.bpe_dropout import BPEDropout
from tui_trainer.corpus.shuffle import shuffled


def windows_in_epoch(tokens: int, context: int) -> int:
    """How many windows a pass over `tokens` tokens has, at any phase."""
    return max(1, (tokens - context) // context)


class Batches:
    """Shuffled windows of the training part, each exactly once an epoch.

    Of N tokens and context T an epoch has W = max(1, (N - T) // T) windows; they start T apart, at a phase that changes
    with the epoch, so that over the epochs every token occurs at every position of a window.
    """

    def __init__(
        self, tokens: np.ndarray, context: int, batch_size: int, seed: int, bpe_dropout: BPEDropout | None = None
    ) -> None:
        """With a `bpe_dropout` tokens of a window are split at random, and the window is truncated to its length."""
        assert len(tokens) > context
        # A plain view: slicing a memmap object costs several times as much.
        self.tokens = tokens.view(np.ndarray)
        self.context = context
        self._batch_size, self._seed, self._bpe_dropout = batch_size, seed, bpe_dropout
        self.windows_per_epoch = windows_in_epoch(len(tokens), context)
        self._window = np.arange(context + 1)

    @property
    def plain(self) -> bool:
        """Whether a window is a plain slice of `tokens`, without BPE dropout."""
        return self._bpe_dropout is None

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of micro-batch `index` of the run, both int64 of shape (batch_size, context)."""
        windows = self.tokens[self.starts(index)[:, np.newaxis] + self._window].astype(np.int64)
        if self._bpe_dropout is not None:
            windows = self._bpe_dropout.split(windows, np.random.default_rng([self._seed, index]))
        return windows[:, :-1], windows[:, 1:]

    def starts(self, index: int) -> np.ndarray:
        """Where the windows of micro-batch `index` begin, int64, shape (batch_size,)."""
        sequences = np.arange(index * self._batch_size, (index + 1) * self._batch_size)
        epochs, places = np.divmod(sequences, self.windows_per_epoch)
        starts = np.empty(self._batch_size, dtype=np.int64)
        for epoch in np.unique(epochs):  # a batch may straddle two
            inside = epochs == epoch
            order = shuffled(places[inside], self.windows_per_epoch, (self._seed, int(epoch)))
            starts[inside] = self._phase(int(epoch)) + order * self.context
        return starts

    def _phase(self, epoch: int) -> int:
        spare = len(self.tokens) - self.windows_per_epoch * self.context
        return int(np.random.default_rng([self._seed, epoch]).integers(0, min(self.context, spare)))


def validation_windows(tokens: np.ndarray, context: int, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Inputs and targets of all tokens, every target once.

    int64, shape (rows <= batch_size, context); the last batch may be one shorter row.
    """
    tokens = tokens.view(np.ndarray)
    targets = len(tokens) - 1
    full = targets // context
    for first in range(0, full, batch_size):
        rows = min(batch_size, full - first)
        yield _window(tokens, first * context, rows, context)
    if targets > full * context:
        yield _window(tokens, full * context, 1, targets - full * context)


def spread_windows(tokens: np.ndarray, context: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of `count` of the windows of `validation_windows`, evenly spread, or of all there are.

    int64, shape (windows, context); a text of less than a window has one shorter row.
    """
    tokens = tokens.view(np.ndarray)
    full = (len(tokens) - 1) // context
    if not full:
        return _window(tokens, 0, 1, len(tokens) - 1)
    chosen = min(count, full)
    starts = (2 * np.arange(chosen) + 1) * full // (2 * chosen) * context
    windows = tokens[starts[:, np.newaxis] + np.arange(context + 1)].astype(np.int64)
    return windows[:, :-1], windows[:, 1:]


def _window(tokens: np.ndarray, start: int, rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    end = start + rows * width
    inputs, targets = tokens[start:end].astype(np.int64), tokens[start + 1 : end + 1].astype(np.int64)
    return inputs.reshape(rows, width), targets.reshape(rows, width)
