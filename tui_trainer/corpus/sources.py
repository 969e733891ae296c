"""Finds and checks the files that the user named as a corpus, before anything slow begins."""

import codecs
import glob
import gzip
import io
import os
import stat
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, NoReturn, cast

from tui_trainer.config import STANDARD_INPUT, InputError
from tui_trainer.run.text import visible_line

PROBE_BYTES: Final = 8192
GZIP_ERRORS: Final = (gzip.BadGzipFile, EOFError, zlib.error)
LABEL_LENGTH: Final = 40
NOT_UTF8: Final = "not UTF-8"

# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_WIDE_MARKS: Final = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class _UnsuitableError(InputError):
    """A file that cannot be used: an error when named by the user, left out inside a directory or a pattern."""

    def __init__(self, message: str, kind: str) -> None:
        """`kind` says what files of its kind are."""
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Source:
    """One file, or the data read from standard input.

    `root` is the file or the directory that the user named, `size` the bytes on disk (of a .gz, compressed), `binary`
    whether it is no text and must be read byte for byte, `found` whether it is one of a directory or a pattern, and can
    be left out.
    """

    path: str
    root: str
    size: int
    binary: bool = False
    found: bool = False
    data: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The path, safe to show."""
        return shown(self.path)

    def open(self) -> BinaryIO:
        """A new stream of the decompressed bytes from their beginning; raises OSError."""
        return io.BytesIO(self.data) if self.data is not None else _open(self.path)


def shown(path: str) -> str:
    """A path for a message, safe to show."""
    return "standard input" if path == STANDARD_INPUT else visible_line(path)


def find_sources(
    arguments: Sequence[str], *, binary_ok: bool = False, left_out: Counter[str] | None = None
) -> list[Source]:
    """The files that the arguments name, each once, in their order; raises InputError.

    `binary_ok` accepts files that are not text, which only the byte tokenizer can read. Files of directories and
    patterns that cannot be used are counted in `left_out` by what they are.
    """
    left_out = Counter() if left_out is None else left_out
    if not arguments or "" in arguments:
        raise InputError("No corpus was given: name a text file, a directory, a glob pattern, or - for standard input.")
    sources: dict[str, Source] = {}
    for argument in arguments:
        for source in _expand(argument, binary_ok, left_out):
            key = STANDARD_INPUT if source.data is not None else os.path.realpath(source.path)
            sources.setdefault(key, source)
    return list(sources.values())


def corpus_label(sources: Sequence[Source]) -> str:
    """A short name for people: `fables`, or `fables and 3 more`."""
    roots = dict.fromkeys(source.root for source in sources)
    label = _root_label(sources[0])
    if len(label) > LABEL_LENGTH:
        label = label[: LABEL_LENGTH - 1] + "…"
    return label if len(roots) == 1 else f"{label} and {len(roots) - 1} more"


def _root_label(source: Source) -> str:
    if source.data is not None:
        return "stdin"
    if source.root != source.path:
        return visible_line(Path(source.root).resolve().name) or "corpus"
    return visible_line(Path(Path(source.path).name.removesuffix(".gz")).stem) or "corpus"


def _expand(argument: str, binary_ok: bool, left_out: Counter[str]) -> Iterator[Source]:
    if argument == STANDARD_INPUT:
        yield _standard_input(binary_ok)
    elif _is_directory(argument):
        yield from _directory(argument, binary_ok, left_out)
    elif glob.has_magic(argument) and not os.path.lexists(argument):
        yield from _pattern(argument, binary_ok, left_out)
    else:
        yield _file(argument, argument, binary_ok)


def _is_directory(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:  # `_file` raises a better error for it
        return False


def _pattern(pattern: str, binary_ok: bool, left_out: Counter[str]) -> Iterator[Source]:
    found, unused = False, Counter[str]()
    # Path.glob refuses an absolute pattern.
    for path in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207
        inside = _walk(path, unused) if _is_directory(path) else [path]
        for source in _suitable(inside, path, binary_ok, unused):
            found = True
            yield source
    left_out.update(unused)
    if not found:
        raise InputError(
            f"The pattern {shown(pattern)} matches no text file{_left_out(unused)}: check it, and put it in quotes so "
            "that it stays whole."
        )


def _directory(directory: str, binary_ok: bool, left_out: Counter[str]) -> list[Source]:
    unused = Counter[str]()
    sources = list(_suitable(_walk(directory, unused), directory, binary_ok, unused))
    left_out.update(unused)
    if not sources:
        found = f"has no text file in it{_left_out(unused)}"
        hint = "" if binary_ok else ", or train on bytes with --tokenizer byte"
        raise InputError(f"The directory {shown(directory)} {found}: name one that has{hint}.")
    return sources


def described(left_out: Mapping[str, int]) -> str:
    """How many files were left out, by what they are: `2 binary, 1 empty`."""
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(left_out.items()))


def _left_out(left_out: Mapping[str, int]) -> str:
    return f" (left out: {described(left_out)})" if left_out else ""


def _suitable(paths: Sequence[str], root: str, binary_ok: bool, left_out: Counter[str]) -> Iterator[Source]:
    for path in paths:
        try:
            yield _file(path, root, binary_ok, found=True)
        except _UnsuitableError as error:
            left_out[error.kind] += 1


def _walk(directory: str, left_out: Counter[str]) -> list[str]:
    """Every file under a directory, sorted; hidden files and directories are left out."""
    paths = []
    for folder, folders, files in os.walk(directory, onerror=_raise_unreadable):
        left_out.update("hidden" for name in (*folders, *files) if name.startswith("."))
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(folder, name) for name in files if not name.startswith(".")]
    return [str(path) for path in sorted(paths)]


def _raise_unreadable(error: OSError) -> NoReturn:
    raise _unreadable(str(error.filename), error) from error


def _file(path: str, root: str, binary_ok: bool, found: bool = False) -> Source:
    try:
        status = Path(path).stat()
        # Opening a pipe or a device could block for ever, so the type is checked first.
        if not stat.S_ISREG(status.st_mode):
            raise _UnsuitableError(
                f"{shown(path)} is not a regular file: name a text file, or pipe it in and name - instead.",
                "not regular",
            )
        with _open(path) as stream:
            start = stream.read(PROBE_BYTES)
    except InputError:  # a ValueError too
        raise
    except GZIP_ERRORS as error:
        raise broken_gzip(path) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _UnsuitableError(f"There is no file {shown(path)}: check the path.", "missing") from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    binary = _check_start(path, start, binary_ok)
    if found and not binary_ok and not _is_utf8(start):
        raise _UnsuitableError(f"{shown(path)} is not UTF-8.", NOT_UTF8)
    return Source(path, root, status.st_size, binary, found)


def _open(path: str) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.lower().endswith(".gz") else Path(path).open("rb")


def _standard_input(binary_ok: bool) -> Source:
    data = _read_standard_input()
    binary = _check_start(STANDARD_INPUT, data[:PROBE_BYTES], binary_ok)
    return Source(STANDARD_INPUT, STANDARD_INPUT, len(data), binary, data=data)


@cache
def _read_standard_input() -> bytes:
    """All of standard input, cached, as it can be read only once and a corpus is read several times."""
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("Standard input is a terminal: pipe a text into it, or name a file instead of -.")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise _unreadable(STANDARD_INPUT, error) from error


def _check_start(path: str, start: bytes, binary_ok: bool) -> bool:
    """Whether a file with these first bytes is binary; raises InputError if it cannot be used."""
    if not start:
        raise _UnsuitableError(f"{shown(path)} is empty: give it some text, or name another file.", "empty")
    wide = next((encoding for mark, encoding in _WIDE_MARKS.items() if start.startswith(mark)), None)
    binary = wide is not None or b"\0" in start
    if binary and not binary_ok:
        if wide:
            raise _UnsuitableError(f"{shown(path)} is in {wide}: convert it to UTF-8 (iconv -f {wide} -t UTF-8).", wide)
        raise _UnsuitableError(
            f"{shown(path)} is binary, not text: name a text file, or train on bytes with --tokenizer byte.", "binary"
        )
    return binary


def _is_utf8(start: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8; they may cut a character if there are more."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, len(start) < PROBE_BYTES)
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(path: str, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"Cannot read {shown(path)} ({reason}): make it readable, or name another file.")


def broken_gzip(path: str) -> InputError:
    return InputError(f"{shown(path)} is not a whole gzip file: make or download it again.")
