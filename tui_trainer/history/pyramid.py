"""Buckets of steps at several resolutions, each four times as coarse as the one before.

A pyramid is only appended to, beyond what readers of an earlier one look at, and single buckets are emptied; whatever
else changes is a new one. So any thread may read one without a lock while another appends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_trainer.history.cells import Cells, combine_equal, empty_cells, grow

FACTOR: Final = 4
LEVELS: Final = 5

SMALLEST: Final = 16_384
"""Buckets that there is room for at first; a multiple of those of one bucket of the coarsest level.

Much room costs nothing, since memory is taken as it is written; little has to be copied to a larger one soon."""


@dataclass(frozen=True)
class Pyramid:
    """`length` buckets of `stride` steps each, from step 0 on."""

    stride: int
    length: int
    levels: tuple[Cells, ...]
    """Of shape (metrics, 4, room), from the finest on; what lies beyond `length` may be anything."""

    @classmethod
    def of(cls, cells: Cells, stride: int = 1) -> "Pyramid":
        """With these buckets, of shape (metrics, 4, length)."""
        bare = tuple(np.empty((len(cells), 4, SMALLEST // size)) for size in _sizes())
        return cls(stride, 0, bare).appended(cells)

    @property
    def cells(self) -> Cells:
        """The finest buckets: shape (metrics, 4, length)."""
        return self.levels[0][:, :, : self.length]

    def appended(self, cells: Cells) -> "Pyramid":
        """With more buckets, of shape (metrics, 4, more)."""
        length = self.length + cells.shape[-1]
        roomy = self._with_room(len(cells), length)
        roomy.levels[0][:, :, self.length : length] = cells
        for finer, coarser, size in zip(roomy.levels, roomy.levels[1:], _sizes()[1:], strict=False):
            first, last = self.length // size, length // size
            if first < last:
                coarser[:, :, first:last] = combine_equal(finer[:, :, first * FACTOR : last * FACTOR], FACTOR)
        return replace(roomy, length=length)

    def _with_room(self, metrics: int, length: int) -> "Pyramid":
        room, before = self.levels[0].shape[-1], len(self.levels[0])
        if length <= room and metrics == before:
            return self
        while room < length:
            room *= 2
        sizes = zip(self.levels, _sizes(), strict=True)
        grown = tuple(grow(cells, metrics, room // size, kept=self.length // size) for cells, size in sizes)
        return replace(self, levels=grown)

    def with_metrics(self, metrics: int) -> "Pyramid":
        """With so many metrics; of the new ones nothing was measured."""
        return self._with_room(metrics, self.length)

    def truncated(self, length: int) -> "Pyramid":
        """The first `length` buckets alone, in arrays of their own."""
        return Pyramid.of(self.cells[:, :, :length], self.stride)

    def halved(self) -> "Pyramid":
        """Half as many buckets of twice as many steps, without the last of an odd number."""
        return Pyramid.of(combine_equal(self.cells[:, :, : self.length // 2 * 2], 2), 2 * self.stride)

    def merged(self, buckets: NDArray[np.int64], cells: Cells) -> "Pyramid":
        """With more measurements, of shape (metrics, 4, n), in n different buckets; in arrays of its own."""
        changed = self.cells.copy()
        pairs = np.stack((changed[:, :, buckets], cells), axis=-1)
        changed[:, :, buckets] = combine_equal(pairs.reshape(*cells.shape[:2], -1), 2)
        return Pyramid.of(changed, self.stride)

    def empty(self, metrics: Sequence[int], bucket: int) -> None:
        """Forget what was measured of some metrics in a bucket, in place: readers of this pyramid miss it, too."""
        self.levels[0][metrics, :, bucket] = empty_cells(len(metrics), 1)[:, :, 0]
        for finer, coarser, size in zip(self.levels, self.levels[1:], _sizes()[1:], strict=False):
            at = bucket // size
            if at < self.length // size:
                parts = finer[metrics, :, at * FACTOR : (at + 1) * FACTOR]
                coarser[metrics, :, at : at + 1] = combine_equal(parts, FACTOR)

    def pieces(self, metric: int, first: int, last: int, at_most: int) -> Iterator[tuple[Cells, Cells]]:
        """The finest buckets from `first` to before `last`, in order, in as many cells as are not too many.

        Coarse cells where there would be more than `at_most`, or as few as there are, and finer ones at both ends.
        Yields the first step of each cell, shape (n,), and the cells, shape (4, n).
        """
        sizes = _sizes()
        level = next((at for at, size in enumerate(sizes) if (last - first) // size <= at_most), LEVELS - 1)
        after: list[tuple[int, int, int]] = []
        for finer in range(level):
            up = sizes[finer + 1]
            begin = min(-(-first // up) * up, last)
            end = max(last // up * up, begin)
            yield self._piece(metric, finer, first, begin)
            after.append((finer, end, last))
            first, last = begin, end
        yield self._piece(metric, level, first, last)
        for finer, begin, end in reversed(after):
            yield self._piece(metric, finer, begin, end)

    def _piece(self, metric: int, level: int, first: int, last: int) -> tuple[Cells, Cells]:
        size = FACTOR**level
        cells = self.levels[level][metric, :, first // size : last // size]
        return np.arange(first, first + cells.shape[-1] * size, size) * float(self.stride), cells


def _sizes() -> list[int]:
    """Finest buckets in a bucket of each level."""
    return [FACTOR**level for level in range(LEVELS)]
