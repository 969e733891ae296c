"""BPE dropout: splits tokens at random, so that a small text is seen in many segmentations.

After BPE-dropout (Provilkov et al. 2020, arXiv 1910.13267), which skips merges while encoding. Here the merge of an
encoded token is undone with some probability, then those of its two parts: so the draws are seeded and the text is
encoded once, neither of which the tokenizer's own dropout allows.
"""

import json
from typing import Final

import numpy as np

from tui_trainer.corpus.tokenizer import Tokenizer

MAX_DEPTH: Final = 8
"""Levels of merges that may be undone in one token."""


class BPEDropout:
    """Splits tokens into the parts they were merged from, each with probability `dropout`."""

    def __init__(self, tokenizer: Tokenizer, dropout: float) -> None:
        self._dropout = dropout
        self._parts = merge_parts(tokenizer)

    def split(self, windows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Split the tokens of windows (rows, T) of ids; each row is then truncated to T. Returns (rows, T)."""
        return np.stack([self._split_row(row, random) for row in windows])

    def _split_row(self, row: np.ndarray, random: np.random.Generator) -> np.ndarray:
        length = len(row)
        undecided = np.ones(length, dtype=bool)
        for _ in range(MAX_DEPTH):
            chosen = undecided & (self._parts[row, 0] >= 0)
            chosen &= random.random(len(row)) < self._dropout
            if not chosen.any():
                break
            row = np.where(chosen[:, np.newaxis], self._parts[row], np.stack((row, np.full_like(row, -1)), axis=1))
            row, undecided = row.ravel(), np.repeat(chosen, 2)
            kept = row >= 0
            row, undecided = row[kept][:length], undecided[kept][:length]
        return row


def merge_parts(tokenizer: Tokenizer) -> np.ndarray:
    """The two tokens each was merged from, int64 (vocab_size, 2); -1 for a token that is no merge."""
    model = json.loads(tokenizer.to_json())["model"]
    ids = model["vocab"]
    parts = np.full((len(ids), 2), -1, dtype=np.int64)
    for merge in model["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        parts[ids[left + right]] = ids[left], ids[right]
    return parts
