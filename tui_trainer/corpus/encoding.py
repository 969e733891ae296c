"""Encodes the training and the validation part of a text; a second run finds them in the cache."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np

from tui_trainer.config import InputError
from tui_trainer.corpus.cache import CacheWriteError, Encoded, entry_path, new_entry, open_entry
from tui_trainer.corpus.reading import Scan, read_chunks, to_bytes
from tui_trainer.corpus.sources import Source
from tui_trainer.corpus.split import TRAIN, VAL, Split, Stretch
from tui_trainer.corpus.tokenizer import Tokenizer

BPE_CHARACTERS: Final = 200_000_000
"""Characters, spread over the training part, from which BPE merges are learnt."""

StageProgress = Callable[[str, int, int], None]


def encode_corpus(
    sources: Sequence[Source],
    scan: Scan,
    split: Split,
    kind: str,
    vocab_size: int,
    val_fraction: float,
    progress: StageProgress,
) -> Encoded:
    """Both parts as tokens, from the cache or encoded now; raises InputError.

    `vocab_size` is for kind "bpe", 0 for the others. An exception of `progress` is passed on and leaves no files.
    """
    entry = entry_path(split.fingerprint, kind, vocab_size, val_fraction)
    found = open_entry(entry)
    if found is not None:
        return found
    encoder = _Encoder(sources, scan, kind == "byte", split, progress)
    tokenizer = encoder.make_tokenizer(kind, vocab_size)
    try:
        with new_entry(entry, tokenizer) as writer:
            val_bytes = encoder.encode(tokenizer, writer.append)
            return writer.publish(entry, val_bytes)
    except CacheWriteError:
        return encoder.encode_in_memory(tokenizer)


class _Encoder:
    """Makes the tokenizer and encodes the text, each in one pass over it."""

    def __init__(
        self, sources: Sequence[Source], scan: Scan, lossless: bool, split: Split, progress: StageProgress
    ) -> None:
        self._sources, self._scan, self._lossless = sources, scan, lossless
        self._split, self._progress = split, progress

    def make_tokenizer(self, kind: str, vocab_size: int) -> Tokenizer:
        if kind == "char":
            # From both parts: a character only in the validation part must be encoded too.
            return Tokenizer.characters(self._scan.distinct)
        if kind == "byte":
            return Tokenizer.bytes_()
        training = (text for part, text in self._parts("training the tokenizer") if part == TRAIN)
        stride = math.ceil(self._split.train_characters / BPE_CHARACTERS)
        texts = (text for number, text in enumerate(training) if number % stride == 0)
        return Tokenizer.train_bpe(texts, vocab_size)

    def encode(self, tokenizer: Tokenizer, append: Callable[[int, np.ndarray], None]) -> int:
        """Call `append` with ids of each part; returns the validation part's length in UTF-8 bytes."""
        sizes = [0, 0]
        for part, pieces in groupby(self._parts("tokenizing"), key=itemgetter(0)):
            texts = (text for _, text in pieces)
            for ids in tokenizer.encode_stream(_measured(texts, part, sizes)):
                append(part, ids)
        if sum(sizes) != self._scan.bytes:
            raise InputError("The corpus changed while it was being read: start again when nothing writes to it.")
        return sizes[VAL]

    def encode_in_memory(self, tokenizer: Tokenizer) -> Encoded:
        parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        val_bytes = self.encode(tokenizer, lambda part, ids: parts[part].append(ids))
        return Encoded(tokenizer, _joined(parts[TRAIN], tokenizer), _joined(parts[VAL], tokenizer), val_bytes)

    def _parts(self, stage: str) -> Iterator[tuple[int, str]]:
        """The text in pieces, each with its part, TRAIN or VAL."""
        stretches = iter(self._split.stretches)
        part, remaining = next(stretches)
        progress = partial(self._progress, stage)
        for text in read_chunks(self._sources, lossless=self._lossless, progress=progress):
            while len(text) > remaining:
                if remaining:
                    yield part, text[:remaining]
                text = text[remaining:]
                part, remaining = next(stretches, Stretch(VAL, sys.maxsize))  # of a text that has grown
            yield part, text
            remaining -= len(text)


def _measured(texts: Iterable[str], part: int, sizes: list[int]) -> Iterator[str]:
    for text in texts:
        sizes[part] += len(to_bytes(text))
        yield text


def _joined(pieces: list[np.ndarray], tokenizer: Tokenizer) -> np.ndarray:
    array = np.concatenate(pieces or [np.empty(0, tokenizer.dtype)])
    array.setflags(write=False)
    return array
