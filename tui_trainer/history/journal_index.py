"""The index beside a journal: its metrics summarised, and places from which it can be read on.

One file in the run's directory: a SHA-256 of what follows, a line of JSON, and the cells as float64, little-endian.
Whatever is wrong with it, or with how it fits the journal, it is as if there were none: a stranger may have written it,
and all that it says can be had from the journal.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import EFBIG
from typing import Any, BinaryIO, Final

import numpy as np

from tui_trainer.history.cells import COUNT, HIGH, LOW, Cells
from tui_trainer.history.history import BUCKETS, METRICS
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST_BRANCHES, Branch, Branches

INDEX: Final = "journal.index"

FORMAT: Final = 1
"""To be raised when anything that follows from a journal becomes something else: all indexes are made anew then."""

MAX_HEADER: Final = 16 * 2**20
"""Bytes of all that is no cell."""

MAX_BYTES: Final = MAX_HEADER + 8 * 4 * METRICS * BUCKETS

MARGIN: Final = 4096
"""Bytes at the beginning of a journal and at the end of the part that is covered by which it is known again."""

DIGEST: Final = 65
"""Bytes before what the digest is of."""


@dataclass(frozen=True)
class Place:
    """Where all measurements of steps before `step` end in the journal: what follows can be read from `offset` on."""

    step: int
    offset: int
    branches: Branches = FIRST_BRANCHES
    """Of the run there."""


@dataclass(frozen=True)
class Index:
    """Of the beginning of a journal, up to the last of its places."""

    places: tuple[Place, ...]
    """By step, and offset; at least one."""
    states: Mapping[int, str]
    """What the run looked like at some of the places, by their step, the last among them; in JSON."""
    metrics: tuple[str, ...]
    stride: int
    cells: Cells
    """The buckets of all steps before the last place: shape (metrics, 4, buckets)."""


def write_index(folder: Folder, journal: BinaryIO, index: Index) -> None:
    """Put an index into a run's directory; raises OSError, also where there would be too much in it."""
    told = json.dumps(
        {
            "format": FORMAT,
            "journal": _known_by(journal, index.places[-1].offset),
            "metrics": index.metrics,
            "stride": index.stride,
            "places": [(place.step, place.offset, place.branches) for place in index.places],
            "states": list(index.states.items()),
        }
    )
    header = f"{told}\n".encode()
    if len(header) > MAX_HEADER - DIGEST:
        raise OSError(EFBIG, "the index would be too large")
    cells = np.ascontiguousarray(index.cells, "<f8").data.cast("B") if index.cells.size else b""
    digest = hashlib.sha256(header)
    digest.update(cells)
    folder.replace(INDEX, b"".join((digest.hexdigest().encode(), b"\n", header, cells)))


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
        return index if header["journal"] == _known_by(journal, index.places[-1].offset) else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError, OverflowError):
        return None


def _index_of(header: Mapping[str, Any], cells: Cells) -> Index:
    """Raises ValueError, TypeError, KeyError or OverflowError for what no index says."""
    metrics = tuple(map(str, header["metrics"]))
    _require(0 < len(metrics) <= METRICS and cells.size % (4 * len(metrics)) == 0)
    return Index(
        places=tuple(_place_of(*told) for told in header["places"]),
        states={int(step): str(state) for step, state in header["states"]},
        metrics=metrics,
        stride=int(header["stride"]),
        cells=cells.reshape(len(metrics), 4, -1).astype(np.float64),
    )


def _place_of(step: int, offset: int, told: Sequence[Sequence[tuple[int, int]]]) -> Place:
    branches = tuple(tuple(Branch(int(number), int(begin)) for number, begin in lineage) for lineage in told)
    _require(len(branches) > 0 and all(branches))
    return Place(int(step), int(offset), branches)


def _check(index: Index, size: int) -> None:
    """Raises ValueError or IndexError where the parts of an index do not fit together, or the journal's size."""
    last = Place(0, -1)
    for place in index.places:
        _require(place.step > last.step and last.offset < place.offset <= size)
        last = place
    _require(last.step in index.states and index.states.keys() <= {place.step for place in index.places})
    _require(len(set(index.metrics)) == len(index.metrics))
    buckets = index.cells.shape[2]
    _require(index.stride > 0 and index.stride & (index.stride - 1) == 0)
    _require(buckets <= BUCKETS and buckets * index.stride == last.step)
    counts = index.cells[:, COUNT]
    measured = index.cells.transpose(0, 2, 1)[counts > 0]
    _require(bool(np.isfinite(counts).all() and np.isfinite(measured).all()))
    _require(bool((measured[:, LOW] <= measured[:, HIGH]).all()))


def _require(true: bool) -> None:
    if not true:
        raise ValueError("no index says that")


def _known_by(journal: BinaryIO, end: int) -> str:
    """By what the first `end` bytes of a journal are known again."""
    digest = hashlib.sha256(str(end).encode())
    for begin in (0, max(0, end - MARGIN)):
        journal.seek(begin)
        digest.update(journal.read(min(MARGIN, end - begin)))
    return digest.hexdigest()
