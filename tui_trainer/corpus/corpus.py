"""Loads a corpus: reads the sources that the user named, tokenizes them and splits off the validation part."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from tui_trainer.config import EACH_FILE, DataConfig
from tui_trainer.corpus.encoding import StageProgress, encode_corpus
from tui_trainer.corpus.reading import NotUTF8Error, Progress, Scan, scan
from tui_trainer.corpus.sources import NOT_UTF8, Source, corpus_label, find_sources
from tui_trainer.corpus.split import split_text
from tui_trainer.corpus.tokenizer import Tokenizer, bpe_vocab_size, choose_kind

COUNT_TOKENS: Final = 1 << 20


@dataclass(frozen=True)
class Corpus:
    """`train` and `val` are read-only token arrays, shape (tokens,), often mapped from disk.

    `fingerprint` is the SHA-256 of the normalised text (see Split), `characters` and `bytes` (UTF-8) its length,
    `val_bytes` that of the validation part, to which `val_files` files give something; `unigram_entropy` is in nats per
    token of the training part.
    """

    label: str
    fingerprint: str
    characters: int
    bytes: int
    tokenizer: Tokenizer
    train: np.ndarray
    val: np.ndarray
    val_bytes: int
    val_files: int
    unigram_entropy: float
    opening: str
    left_out: Mapping[str, int]
    """Files of directories and patterns that could not be used: how many, by what they are."""


def load_corpus(config: DataConfig, progress: StageProgress) -> Corpus:
    """Read, tokenize and split what the configuration names; raises InputError.

    `progress` gets a stage ("reading", "training the tokenizer", "tokenizing") with what is done of how much; what it
    raises stops the work and passes through.
    """
    left_out: Counter[str] = Counter()
    sources, found = _read(config, partial(progress, "reading"), left_out)
    kind, vocab_size = _choose_tokenizer(config, found)
    split = split_text(found, config.val_fraction, config.val_from == EACH_FILE)
    encoded = encode_corpus(sources, found, split, kind, vocab_size, config.val_fraction, progress)
    return Corpus(
        label=corpus_label(sources),
        fingerprint=split.fingerprint,
        characters=found.characters,
        bytes=found.bytes,
        tokenizer=encoded.tokenizer,
        train=encoded.train,
        val=encoded.val,
        val_bytes=encoded.val_bytes,
        val_files=split.val_files,
        unigram_entropy=unigram_entropy(encoded.train, encoded.tokenizer.vocab_size),
        opening=found.opening,
        left_out=left_out,
    )


def _read(config: DataConfig, progress: Progress, left_out: Counter[str]) -> tuple[list[Source], Scan]:
    """The sources and what one pass over them finds; those found not to be UTF-8 are left out if they can be."""
    lossless = config.tokenizer == "byte"
    sources = find_sources(config.corpus, binary_ok=lossless, left_out=left_out)
    while True:
        try:
            return sources, scan(sources, lossless=lossless, progress=progress)
        except NotUTF8Error as error:
            if not error.source.found or len(sources) == 1:
                raise
            sources.remove(error.source)
            left_out[NOT_UTF8] += 1


def unigram_entropy(tokens: np.ndarray, vocab_size: int) -> float:
    """The entropy of the token frequencies, in nats per token: the loss of a unigram model."""
    counts = np.zeros(vocab_size, dtype=np.int64)
    # bincount converts to int64, 8 bytes a token, so it gets a piece at a time.
    for start in range(0, len(tokens), COUNT_TOKENS):
        counts += np.bincount(tokens[start : start + COUNT_TOKENS], minlength=vocab_size)
    shares = counts[counts > 0] / len(tokens)
    return float(-(shares * np.log(shares)).sum())


def _choose_tokenizer(config: DataConfig, found: Scan) -> tuple[str, int]:
    """The kind, and the vocabulary size for BPE, 0 otherwise."""
    kind = config.tokenizer
    if kind == "auto":
        kind = choose_kind(found) if config.vocab_size is None else "bpe"
    if kind != "bpe":
        return kind, 0
    return kind, bpe_vocab_size(found.bytes) if config.vocab_size is None else config.vocab_size
