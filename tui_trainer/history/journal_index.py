"""The index beside a journal: its metrics summarised, and offsets from which it can be read on.

One file in the run's directory: a SHA-256 of what follows, a line of JSON, and the cells as float64, little-endian.
An index that is damaged, or does not fit the journal, is ignored: it may come from an untrusted source, and can be made
again from the journal.

An edit in the middle of a journal that does not change its length is not noticed: whoever edits a journal by hand
has to delete its index.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import EFBIG, EISDIR, ENOSPC
from typing import Any, BinaryIO, Final

import numpy as np

from tui_trainer.history.cells import COUNT, Cells
from tui_trainer.history.history import BUCKETS, METRICS
from tui_trainer.run.codec import LARGEST, LAST_STEP
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST_BRANCHES, MAX_BRANCHES, Branch, Branches

INDEX: Final = "journal.index"

FORMAT: Final = 4
"""Raise it when what is computed from a journal changes: indexes of another format are made again."""

MAX_HEADER: Final = 16 * 2**20
"""Bytes of all that is no cell."""

MAX_BRANCH_ENTRIES: Final = MAX_HEADER // 8
"""Of all entries together, each some eight bytes at least."""

MAX_BYTES: Final = MAX_HEADER + 8 * 4 * METRICS * BUCKETS

ROOM: Final = 64 * 2**20
"""Bytes that are left on the disk beside an index: it can be made again, and must not be what fills it."""

HASHED_BYTES: Final = 4096
"""Bytes at the beginning of a journal and at the end of the part that is covered by which it is known again."""

ROUNDING: Final = 1e-6
"""Relative error, at most, of a sum of values."""

DIGEST: Final = 65
"""Bytes before what the digest is of."""


@dataclass(frozen=True)
class IndexEntry:
    """Where all measurements of steps before `step` end in the journal: what follows can be read from `offset` on."""

    step: int
    offset: int
    branches: Branches = FIRST_BRANCHES
    """Of the run there."""


@dataclass(frozen=True)
class Index:
    """Of the beginning of a journal, up to the last entry."""

    entries: tuple[IndexEntry, ...]
    """Ascending by step and by offset; at least one. They are the "places" of the file."""
    states: Mapping[int, str]
    """The state of the run at some of the entries, the last among them, by step; in JSON."""
    metrics: tuple[str, ...]
    stride: int
    cells: Cells
    """The buckets of all steps before the last entry: shape (metrics, 4, buckets)."""


def write_index(folder: Folder, journal: BinaryIO, index: Index) -> None:
    """Put an index into a run's directory; raises OSError, also where there is no room for it, or too much in it."""
    _require_room(folder)
    if sum(len(lineage) for entry in index.entries for lineage in entry.branches) > MAX_BRANCH_ENTRIES:
        raise OSError(EFBIG, "the index would be too large")
    content = json.dumps(
        {
            "format": FORMAT,
            "journal": _known_by(journal, index.entries[-1].offset),
            "metrics": index.metrics,
            "stride": index.stride,
            "places": [(entry.step, entry.offset, entry.branches) for entry in index.entries],
            "states": list(index.states.items()),
        }
    )
    header = f"{content}\n".encode()
    if len(header) > MAX_HEADER - DIGEST:
        raise OSError(EFBIG, "the index would be too large")
    cells = np.ascontiguousarray(index.cells, "<f8").data.cast("B") if index.cells.size else b""
    _require_room(folder, len(header) + len(cells))
    digest = hashlib.sha256(header)
    digest.update(cells)
    folder.replace(INDEX, b"".join((digest.hexdigest().encode(), b"\n", header, cells)))


def _require_room(folder: Folder, size: int = 0) -> None:
    """Raises OSError where an index of `size` bytes would leave too little room, or a directory has its name."""
    if folder.free_bytes < size + ROOM:
        raise OSError(ENOSPC, "the disk is nearly full")
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(folder.stat(INDEX).st_mode):
            raise OSError(EISDIR, os.strerror(EISDIR))


def read_index(folder: Folder, journal: BinaryIO, size: int) -> Index | None:
    """The index of the first `size` bytes of a journal, or of a part of them; None where there is none that can be."""
    try:
        data = folder.read(INDEX, MAX_BYTES)
        if data[:DIGEST] != hashlib.sha256(memoryview(data)[DIGEST:]).hexdigest().encode() + b"\n":
            return None
        end = data.index(b"\n", DIGEST) + 1
        header = json.loads(data[DIGEST:end])
        if header["format"] != FORMAT:
            return None
        index = _index_of(header, np.frombuffer(data, "<f8", offset=end))
        _check(index, size)
        return index if header["journal"] == _known_by(journal, index.entries[-1].offset) else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError, OverflowError):
        return None


def _index_of(header: Mapping[str, Any], cells: Cells) -> Index:
    """Raises ValueError, TypeError, KeyError or OverflowError for what no index says."""
    metrics = tuple(map(str, header["metrics"]))
    _require(0 < len(metrics) <= METRICS and cells.size % (4 * len(metrics)) == 0)
    return Index(
        entries=tuple(_entry_of(*entry) for entry in header["places"]),
        states={int(step): str(state) for step, state in header["states"]},
        metrics=metrics,
        stride=int(header["stride"]),
        cells=cells.reshape(len(metrics), 4, -1).astype(np.float64),
    )


def _entry_of(step: int, offset: int, lineages: Sequence[Sequence[tuple[int, int]]]) -> IndexEntry:
    branches = tuple(tuple(Branch(int(number), int(begin)) for number, begin in lineage) for lineage in lineages)
    _require(0 < len(branches) <= MAX_BRANCHES)
    for lineage in branches:
        _require(0 < len(lineage) <= MAX_BRANCHES)
        _require(all(max(abs(branch.id), abs(branch.step)) < LARGEST[int] for branch in lineage))
    return IndexEntry(int(step), int(offset), branches)


def _check(index: Index, size: int) -> None:
    """Raises ValueError or IndexError where the parts of an index do not fit together, or the journal's size."""
    last = IndexEntry(0, -1)
    for entry in index.entries:
        _require(entry.step > last.step and last.offset < entry.offset <= size)
        last = entry
    _require(last.step <= LAST_STEP)
    _require(last.step in index.states and index.states.keys() <= {entry.step for entry in index.entries})
    _require(len(set(index.metrics)) == len(index.metrics))
    buckets = index.cells.shape[2]
    _require(index.stride > 0 and index.stride & (index.stride - 1) == 0)
    _require(buckets <= BUCKETS and buckets * index.stride == last.step)
    _check_cells(index.cells.transpose(0, 2, 1))


def _check_cells(cells: Cells) -> None:
    """Raises ValueError for numbers that no measurements amount to; shape (metrics, buckets, 4)."""
    counts = cells[:, :, COUNT]
    _require(bool(((counts >= 0) & (counts < LARGEST[int])).all()))
    low, high, total, count = cells[counts > 0].T
    greatest = np.maximum(np.abs(low), np.abs(high))
    _require(bool(((low <= high) & (greatest < LARGEST[float])).all()))
    _require(bool((np.abs(total) <= count * greatest * (1 + ROUNDING)).all()))
    low, high, total, _ = cells[counts == 0].T
    _require(bool((total == 0).all() and (np.isnan(low) & np.isnan(high) | np.isinf(low) & np.isinf(high)).all()))


def _require(true: bool) -> None:
    if not true:
        raise ValueError("no index says that")


def _known_by(journal: BinaryIO, end: int) -> str:
    """By what the first `end` bytes of a journal are known again."""
    digest = hashlib.sha256(str(end).encode())
    for begin in (0, max(0, end - HASHED_BYTES)):
        journal.seek(begin)
        digest.update(journal.read(min(HASHED_BYTES, end - begin)))
    return digest.hexdigest()
