"""Tokenizers: characters, bytes, or byte-level BPE, each wrapping a Hugging Face tokenizer."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from tui_trainer.config import InputError
from tui_trainer.corpus.reading import UNICODE_END, Scan, code_points, to_bytes

# Unset, a child process forked after encoding prints a warning across the screen.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

# Encoding objects take some hundred bytes a token, so only a batch of pieces is encoded at a time.
PIECE_CHARACTERS: Final = 16_384
BATCH_PIECES: Final = 32
LONG_WORD: Final = 512
CHAR_LIMIT: Final = (256, 20_000_000)
BYTE_LIMIT: Final = 2_000_000
BYTES_PER_ENTRY: Final = 200


class Tokenizer:
    """Byte-level BPE; the other kinds are made by `characters` and `bytes_`."""

    kind = "bpe"

    def __init__(self, inner: tokenizers.Tokenizer) -> None:
        self._inner = inner
        self.vocab_size: int = inner.get_vocab_size()
        wide = np.uint16 if self.vocab_size <= 65_536 else np.uint32
        self.dtype: np.dtype[Any] = np.dtype(np.uint8 if self.vocab_size <= 256 else wide)

    @staticmethod
    def characters(distinct: Iterable[str]) -> "Tokenizer":
        """One token a character; an id is the character's rank among the sorted ones."""
        vocabulary = {character: rank for rank, character in enumerate(sorted(set(distinct)))}
        inner = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
        inner.decoder = decoders.Fuse()
        return CharTokenizer(inner)

    @staticmethod
    def bytes_() -> "Tokenizer":
        """One token a byte of UTF-8; an id is the byte."""
        return ByteTokenizer(_byte_level({name: byte for byte, name in enumerate(_byte_names())}, use_regex=False))

    @staticmethod
    def train_bpe(texts: Iterable[str], vocab_size: int) -> "Tokenizer":
        """Train on the texts; the vocabulary is smaller than `vocab_size` if no pair of tokens repeats any more."""
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=[],
            show_progress=False,
        )
        inner = _byte_level(None, use_regex=True)
        inner.train_from_iterator(_short_words(cut_pieces(texts)), trainer)
        return Tokenizer(inner)

    @staticmethod
    def from_json(text: str) -> "Tokenizer":
        """The tokenizer that `to_json` wrote, of the kind that the JSON implies; raises InputError."""
        try:
            splitter = json.loads(text)["pre_tokenizer"]
            kind = CharTokenizer if splitter is None else Tokenizer if splitter["use_regex"] else ByteTokenizer
            return kind(tokenizers.Tokenizer.from_str(text))
        except Exception as error:  # the Rust side raises nothing narrower
            raise InputError(
                f"The tokenizer is damaged or not one of ours ({error}): restore its tokenizer.json."
            ) from error

    def to_json(self) -> str:
        """The contents of a Hugging Face tokenizer.json."""
        return self._inner.to_str()

    def encode(self, text: str) -> np.ndarray:
        """The ids, shape (tokens,), in `dtype`; characters the tokenizer has never seen are left out."""
        parts = list(self.encode_stream([text]))
        return np.concatenate(parts) if parts else np.empty(0, self.dtype)

    def encode_stream(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of one long text given in parts, in bounded memory; they do not depend on where it is cut."""
        pieces = cut_pieces(texts)
        while batch := list(islice(pieces, BATCH_PIECES)):
            for encoding in self._inner.encode_batch_fast(batch, add_special_tokens=False):
                yield np.array(encoding.ids, dtype=self.dtype)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """The text; U+FFFD stands for bytes that make no whole character."""
        return self._inner.decode(np.asarray(ids, dtype=np.int64).tolist(), skip_special_tokens=False)

    def known_part(self, text: str) -> tuple[str, str]:
        """The text without the characters that the tokenizer has never seen, and these, each once."""
        unseen = [character for character in dict.fromkeys(text) if not self._knows(character)]
        return text.translate(dict.fromkeys(map(ord, unseen))), "".join(unseen)

    def _knows(self, character: str) -> bool:
        return not "\ud800" <= character <= "\udfff"


class CharTokenizer(Tokenizer):
    """One token a character, by table lookup."""

    kind = "char"

    def __init__(self, inner: tokenizers.Tokenizer) -> None:
        super().__init__(inner)
        vocabulary = inner.get_vocab()
        self._codes = np.array([ord(character) for character in sorted(vocabulary, key=vocabulary.__getitem__)], "<u4")
        self._ids = np.full(UNICODE_END, -1, dtype=np.int32)
        self._ids[self._codes] = np.arange(len(self._codes))

    def encode(self, text: str) -> np.ndarray:
        ids: np.ndarray = self._ids[code_points(text)]
        if ids.size and ids.min() < 0:
            ids = ids[ids >= 0]
        return ids.astype(self.dtype)

    def encode_stream(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        return map(self.encode, texts)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        codes: bytes = self._codes[np.asarray(ids, dtype=np.int64)].tobytes()
        return codes.decode("utf-32-le")

    def _knows(self, character: str) -> bool:
        return bool(self._ids[ord(character)] >= 0)


class ByteTokenizer(Tokenizer):
    """One token a byte; bytes that are no UTF-8, given as surrogate escapes, keep their values."""

    kind = "byte"

    def encode(self, text: str) -> np.ndarray:
        return np.frombuffer(to_bytes(text), dtype=np.uint8)

    def encode_stream(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        return map(self.encode, texts)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        return np.asarray(ids, dtype=np.uint8).tobytes().decode("utf-8", "replace")

    def _knows(self, character: str) -> bool:
        return super()._knows(character) or "\udc80" <= character <= "\udcff"


def choose_kind(scan: Scan) -> str:
    """The kind of tokenizer for a text: characters for a small alphabet, BPE for a long text, else bytes."""
    most_characters, most_bytes = CHAR_LIMIT
    if len(scan.distinct) <= most_characters and scan.bytes < most_bytes:
        return "char"
    return "byte" if scan.bytes < BYTE_LIMIT else "bpe"


def bpe_vocab_size(size: int) -> int:
    """The vocabulary size for a text of `size` bytes: a power of two with at least BYTES_PER_ENTRY bytes an entry.

    So that each entry occurs often enough to be learnt; from 512 to 16,384.
    """
    entries = max(1, size // BYTES_PER_ENTRY)
    return min(16_384, max(512, 1 << (entries.bit_length() - 1)))


def cut_pieces(texts: Iterable[str]) -> Iterator[str]:
    """A long text given in parts, cut into pieces that do not depend on the parts."""
    rest = ""
    for text in texts:
        rest += text
        start = 0
        while len(rest) - start > PIECE_CHARACTERS:
            end = _piece_end(rest, start)
            yield rest[start:end]
            start = end
        rest = rest[start:]
    if rest:
        yield rest


def _piece_end(text: str, start: int) -> int:
    """The index before the last white space that a word follows, where GPT-2's pattern always begins a new match.

    PIECE_CHARACTERS after `start` in a text without white space.
    """
    limit = start + PIECE_CHARACTERS
    for space in "\n ":
        end = text.rfind(space, start + 1, limit)
        while end > 0 and text[end + 1].isspace():
            end = text.rfind(space, start + 1, end)
        if end > 0:
            return end
    return limit


def _short_words(pieces: Iterable[str]) -> Iterator[str]:
    """Pieces with long words cut: each merge scans every word it occurs in, so a genome would take hours."""
    for piece in pieces:
        if max(map(len, piece.split()), default=0) > LONG_WORD:
            yield from (piece[start : start + LONG_WORD // 8] for start in range(0, len(piece), LONG_WORD // 8))
        else:
            yield piece


def _byte_level(vocabulary: dict[str, int] | None, use_regex: bool) -> tokenizers.Tokenizer:
    model = models.BPE() if vocabulary is None else models.BPE(vocab=vocabulary, merges=[])
    inner = tokenizers.Tokenizer(model)
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    inner.decoder = decoders.ByteLevel()
    return inner


def _byte_names() -> list[str]:
    """GPT-2's printable name of each byte: itself where printable in Latin-1, else the next character from U+0100."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]
