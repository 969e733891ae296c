"""Reads sources as one stream of text, in bounded memory: decodes UTF-8 and converts line ends to LF."""

import codecs
import hashlib
import io
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np

from tui_trainer.config import InputError
from tui_trainer.corpus.opening import HEAD, opening
from tui_trainer.corpus.sources import GZIP_ERRORS, Source, broken_gzip

CHUNK_BYTES = 4 << 20
REPORT_SECONDS: Final = 0.1
UNICODE_END: Final = 0x110000

Progress = Callable[[int, int], None]


class NotUTF8Error(InputError):
    """A source has bytes that are not UTF-8."""

    def __init__(self, message: str, source: Source) -> None:
        super().__init__(message)
        self.source = source


@dataclass(frozen=True)
class Scan:
    """The result of one pass over the text; `fingerprint` is the hexadecimal SHA-256 of the text as UTF-8."""

    characters: int
    bytes: int
    distinct: frozenset[str]
    fingerprint: str
    opening: str
    lengths: tuple[int, ...] = ()
    """Characters of each source, with the line end that it is given before the next."""


def ignore_progress(done: int, total: int) -> None:
    """A progress callback that does nothing."""


def read_chunks(
    sources: Sequence[Source], *, lossless: bool = False, progress: Progress = ignore_progress
) -> Iterator[str]:
    """The text of all sources in pieces of about CHUNK_BYTES; raises InputError.

    Byte order marks are dropped, CRLF and CR become LF, and a source that does not end its last line is given a line
    end before the next. Bytes that are not UTF-8 are refused, or with `lossless` kept as surrogate escapes. `progress`
    gets the bytes read and the total, both as on disk: for a .gz the compressed ones.
    """
    for _, line_end, text in _read_pieces(sources, lossless, progress):
        yield line_end + text


def scan(sources: Sequence[Source], *, lossless: bool = False, progress: Progress = ignore_progress) -> Scan:
    """Read all sources once; raises InputError, also for a text of nothing but white space."""
    digest, seen = hashlib.sha256(), np.zeros(UNICODE_END, dtype=bool)
    lengths = [0] * len(sources)
    size = last = 0
    head = ""
    for number, line_end, piece in _read_pieces(sources, lossless, progress):
        text = line_end + piece
        data = to_bytes(text)
        digest.update(data)
        seen[code_points(text)] = True
        lengths[last] += len(line_end)
        lengths[number] += len(piece)
        last = number
        size += len(data)
        if len(head) < HEAD:
            head = (head + text[:HEAD]).lstrip()[:HEAD]
    if not head:
        raise InputError("The corpus is empty (nothing but white space): name files with text in them.")
    distinct = frozenset(map(chr, np.flatnonzero(seen).tolist()))
    return Scan(sum(lengths), size, distinct, digest.hexdigest(), opening(head), tuple(lengths))


def _read_pieces(sources: Sequence[Source], lossless: bool, progress: Progress) -> Iterator[tuple[int, str, str]]:
    """Pieces of the text, each with the number of its source and the line end that the source before it lacks."""
    total = sum(source.size for source in sources)
    report, before, last = _at_most_every(REPORT_SECONDS, progress), 0, "\n"
    for number, source in enumerate(sources):
        line_end = "" if last == "\n" else "\n"
        for position, text in _read_source(source, lossless):
            report(min(before + position, total), total)
            yield number, line_end, text
            line_end, last = "", text[-1]
        before += source.size
    progress(total, total)


def to_bytes(text: str) -> bytes:
    """Text from `read_chunks` as the bytes it was read from."""
    return text.encode("utf-8", "surrogateescape")


def code_points(text: str) -> np.ndarray:
    """The code point of each character, shape (characters,), unsigned."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _read_source(source: Source, lossless: bool) -> Iterator[tuple[int, str]]:
    """Pieces of one source, none empty, each with the position on disk after it."""
    decoder = _Decoder(source, lossless)
    try:
        with source.open() as stream:
            ended = False
            while not ended:
                data = stream.read(CHUNK_BYTES)
                ended = not data
                text = decoder.decode(data)
                if text:
                    yield _position(stream), text
    except GZIP_ERRORS as error:
        raise broken_gzip(source.path) from error
    except OSError as error:
        raise InputError(f"Cannot read {source.name} ({error.strerror or error}): make it readable again.") from error


def _position(stream: BinaryIO) -> int:
    raw: Any = getattr(stream, "fileobj", stream)
    return int(raw.tell())


class _Decoder:
    """Decodes the bytes of one source piece by piece; an empty piece ends it. Raises InputError."""

    def __init__(self, source: Source, lossless: bool) -> None:
        self._source = source
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape" if lossless else "strict")
        # In a binary file a CR is data, not the end of a line.
        self._line_ends = io.IncrementalNewlineDecoder(None, translate=not source.binary)
        self._mark = "" if source.binary else "\ufeff"
        self._bytes = self._lines = 0

    def decode(self, data: bytes) -> str:
        try:
            text = self._line_ends.decode(self._utf8.decode(data, not data), not data)
        except UnicodeDecodeError as error:
            raise self._decode_error(error, data) from error
        self._bytes += len(data)
        if text:
            text, self._mark = text.removeprefix(self._mark), ""
        self._lines += text.count("\n")
        return text

    def _decode_error(self, error: UnicodeDecodeError, data: bytes) -> NotUTF8Error:
        # `error.object` also holds what the decoder had buffered: the first bytes of a character cut by the last piece.
        offset = self._bytes + len(data) - len(error.object) + error.start
        good = self._line_ends.decode(error.object[: error.start].decode("utf-8"), True)
        line = self._lines + good.count("\n") + 1
        return NotUTF8Error(
            f"{self._source.name} is not UTF-8 at byte {offset:,} (line {line:,}): "
            "convert it to UTF-8, or train on bytes with --tokenizer byte.",
            self._source,
        )


def _at_most_every(seconds: float, progress: Progress) -> Progress:
    last = -math.inf

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= seconds:
            last = now
            progress(done, total)

    return report
