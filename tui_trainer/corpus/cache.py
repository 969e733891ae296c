"""The cache of encoded corpora on disk: an entry is a directory that is renamed into place when complete."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import platformdirs

from tui_trainer.corpus.tokenizer import Tokenizer

FORMAT: Final = 2
PARTS: Final = ("train", "val")


@dataclass(frozen=True)
class Encoded:
    """A text as tokens: `train` and `val` are read-only, shape (tokens,); `val_bytes` counts the UTF-8 behind `val`."""

    tokenizer: Tokenizer
    train: np.ndarray
    val: np.ndarray
    val_bytes: int


@dataclass(frozen=True)
class _Meta:
    dtype: str
    train: int
    val: int
    val_bytes: int


class CacheWriteError(Exception):
    """The cache cannot be written: the disk is read-only or full, or the directory is another user's."""


def cache_directory() -> Path:
    """TUI_TRAINER_CACHE, or the user's cache directory on this platform."""
    chosen = os.environ.get("TUI_TRAINER_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("tui-trainer")


def entry_path(fingerprint: str, kind: str, vocab_size: int, val_fraction: float) -> Path:
    """The directory for the encoding of a text with these choices."""
    key = json.dumps([FORMAT, fingerprint, kind, vocab_size, val_fraction])
    return cache_directory() / hashlib.sha256(key.encode()).hexdigest()


def open_entry(entry: Path) -> Encoded | None:
    """An entry with its arrays memory-mapped; None if there is none, or it is damaged."""
    try:
        meta = _Meta(**json.loads((entry / "meta.json").read_bytes()))
        tokenizer = Tokenizer.from_json((entry / "tokenizer.json").read_text(encoding="utf-8"))
        train, val = (_map(entry / f"{part}.bin", meta.dtype, getattr(meta, part)) for part in PARTS)
    except (OSError, ValueError, TypeError):
        return None
    return Encoded(tokenizer, train, val, meta.val_bytes)


def _map(path: Path, dtype: str, tokens: int) -> np.ndarray:
    if path.stat().st_size != tokens * np.dtype(dtype).itemsize:
        raise ValueError(f"{path} has the wrong length")
    return np.memmap(path, dtype=dtype, mode="r", shape=(tokens,))


class NewEntry:
    """An entry being written in a temporary directory; `append` takes ids of the part numbered 0 or 1."""

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        self._folder, self._tokenizer = folder, tokenizer
        self._files = [(folder / f"{part}.bin").open("wb") for part in PARTS]
        self._tokens = [0, 0]

    def append(self, part: int, ids: np.ndarray) -> None:
        with _cache_errors():
            self._files[part].write(ids.tobytes())
        self._tokens[part] += len(ids)

    def close(self) -> None:
        for file in self._files:
            file.close()

    def publish(self, entry: Path, val_bytes: int) -> Encoded:
        """Sync the files and rename the entry into place; an entry that another process has made meanwhile is used."""
        meta = _Meta(self._tokenizer.dtype.name, self._tokens[0], self._tokens[1], val_bytes)
        with _cache_errors():
            texts = {"tokenizer.json": self._tokenizer.to_json(), "meta.json": json.dumps(asdict(meta))}
            for name, text in texts.items():
                self._files.append((self._folder / name).open("wb"))
                self._files[-1].write(text.encode())
            for file in self._files:
                file.flush()
                os.fsync(file.fileno())
            self.close()
            _rename(self._folder, entry)
        found = open_entry(entry)
        if found is None:
            raise CacheWriteError(f"{entry} does not stay written")
        return found


@contextmanager
def new_entry(entry: Path, tokenizer: Tokenizer) -> Iterator[NewEntry]:
    """Context manager of a new entry, removed unless it was published. Raises CacheWriteError."""
    with _cache_errors():
        entry.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="unfinished-", dir=entry.parent))
    try:
        with _cache_errors():
            writer = NewEntry(folder, tokenizer)
        try:
            yield writer
        finally:
            # On a full disk this fails once more to write the last bytes, of an entry that is removed anyway.
            with suppress(OSError):
                writer.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rename(folder: Path, entry: Path) -> None:
    try:
        folder.rename(entry)
    except OSError:
        if open_entry(entry) is None:
            _replace_damaged(folder, entry)


def _replace_damaged(folder: Path, entry: Path) -> None:
    """Replace a damaged entry by a complete one; a reader of the damaged one keeps what it has mapped."""
    damaged = Path(tempfile.mkdtemp(prefix="unfinished-", dir=entry.parent))
    try:
        # Another process may have moved the same entry aside.
        with suppress(FileNotFoundError):
            entry.rename(damaged / "entry")
        folder.rename(entry)
    finally:
        shutil.rmtree(damaged, ignore_errors=True)


@contextmanager
def _cache_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CacheWriteError(str(error)) from error
