"""A text split into training and validation and encoded, through a cache: a second run finds the work done."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, takewhile
from operator import itemgetter
from typing import Final

import numpy as np

from tui_trainer.config import InputError
from tui_trainer.corpus.cache import CacheWriteError, Encoded, entry_path, new_entry, open_entry
from tui_trainer.corpus.reading import Scan, read_chunks, to_bytes
from tui_trainer.corpus.sources import Source
from tui_trainer.corpus.tokenizer import Tokenizer

TRAIN: Final = 0
VAL: Final = 1

MAX_VAL_CHARACTERS: Final = 1_000_000
"""More would say little more, and take longer to evaluate than a large text takes to learn from."""

BPE_CHARACTERS: Final = 200_000_000
"""About so much text, from all over the training part, is enough to learn merges from."""

StageProgress = Callable[[str, int, int], None]


def encode_corpus(
    sources: Sequence[Source],
    scan: Scan,
    kind: str,
    vocab_size: int,
    val_fraction: float,
    progress: StageProgress,
) -> Encoded:
    """The two parts as tokens, from the cache or made now; raises InputError.

    `vocab_size` is for kind "bpe", 0 for the others. What `progress` raises passes through and leaves no files.
    """
    entry = entry_path(scan.fingerprint, kind, vocab_size, val_fraction)
    found = open_entry(entry)
    if found is not None:
        return found
    work = _Work(sources, scan, kind == "byte", train_characters(scan.characters, val_fraction), progress)
    tokenizer = work.make_tokenizer(kind, vocab_size)
    try:
        with new_entry(entry, tokenizer) as writer:
            val_bytes = work.encode(tokenizer, writer.append)
            return writer.publish(entry, val_bytes)
    except CacheWriteError:
        return work.encode_in_memory(tokenizer)


def train_characters(characters: int, val_fraction: float) -> int:
    """How many characters train; the rest, at the end, validates."""
    return max(int(characters * (1 - val_fraction)), characters - MAX_VAL_CHARACTERS)


class _Work:
    """Passes over the text that was scanned."""

    def __init__(
        self, sources: Sequence[Source], scan: Scan, lossless: bool, train: int, progress: StageProgress
    ) -> None:
        self._sources, self._scan, self._lossless = sources, scan, lossless
        self._train, self._progress = train, progress

    def make_tokenizer(self, kind: str, vocab_size: int) -> Tokenizer:
        if kind == "char":
            # Characters of the validation part too: it could not be encoded without them.
            return Tokenizer.characters(self._scan.distinct)
        if kind == "byte":
            return Tokenizer.bytes_()
        training = takewhile(lambda piece: piece[0] == TRAIN, self._parts("training the tokenizer"))
        stride = math.ceil(self._train / BPE_CHARACTERS)
        texts = (text for number, (_, text) in enumerate(training) if number % stride == 0)
        return Tokenizer.train_bpe(texts, vocab_size)

    def encode(self, tokenizer: Tokenizer, append: Callable[[int, np.ndarray], None]) -> int:
        """Hand on the ids of each part; returns the UTF-8 bytes of the validation part."""
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
        """The text in pieces, each with the part it belongs to: the first characters train, the rest validates."""
        left = self._train
        progress = partial(self._progress, stage)
        for text in read_chunks(self._sources, lossless=self._lossless, progress=progress):
            if text[:left]:
                yield TRAIN, text[:left]
            if text[left:]:
                yield VAL, text[left:]
            left = max(0, left - len(text))


def _measured(texts: Iterable[str], part: int, sizes: list[int]) -> Iterator[str]:
    for text in texts:
        sizes[part] += len(to_bytes(text))
        yield text


def _joined(pieces: list[np.ndarray], tokenizer: Tokenizer) -> np.ndarray:
    array = np.concatenate(pieces or [np.empty(0, tokenizer.dtype)])
    array.setflags(write=False)
    return array
