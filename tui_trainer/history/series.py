"""Metric history in bounded memory: the series that charts are drawn from.

A full series halves its resolution: two neighbouring buckets become one that keeps both extremes, so a spike of one
step is still there after ten million.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A series as it was at one moment: arrays of shape (buckets,); NaN where nothing finite was seen."""

    steps: Values
    """First step of each bucket."""
    low: Values
    high: Values
    mean: Values

    def __len__(self) -> int:
        return len(self.steps)


EMPTY_CURVE = Curve(*(np.empty(0) for _ in range(4)))


class Series:
    """One metric over steps, in at most `capacity` buckets of equally many points each."""

    def __init__(self, capacity: int = 2048) -> None:
        assert capacity % 2 == 0
        self._columns = np.full((5, capacity), np.nan)
        self._full = 0
        """Buckets that take no more points."""
        self._stride = 1
        """Points in a full bucket."""
        self._open = 0
        """Points in the bucket being filled."""

    def append(self, step: float, value: float | None) -> None:
        """Add one point; None or a number that is not finite leaves a gap."""
        if self._full == self._columns.shape[1]:
            self._halve()
        first, low, high, total, count = self._columns[:, self._full].tolist()
        if self._open == 0:
            first, low, high, total, count = step, math.nan, math.nan, 0.0, 0.0
        if value is not None and math.isfinite(value):
            low = min(value, low) if count else value
            high = max(value, high) if count else value
            total += value
            count += 1
        self._columns[:, self._full] = first, low, high, total, count
        self._open += 1
        if self._open == self._stride:
            self._full += 1
            self._open = 0

    def _halve(self) -> None:
        half = self._columns.shape[1] // 2
        first, low, high, total, count = self._columns.reshape(5, half, 2)
        self._columns[:, :half] = (
            first[:, 0],
            np.fmin(low[:, 0], low[:, 1]),
            np.fmax(high[:, 0], high[:, 1]),
            total.sum(axis=1),
            count.sum(axis=1),
        )
        self._full = half
        self._stride *= 2

    def drop_after(self, step: float) -> None:
        """Forget the buckets that begin after `step`: a resumed run writes them anew."""
        used = self._full + (self._open > 0)
        keep = int(np.searchsorted(self._columns[0, :used], step, side="right"))
        if keep < used:
            self._full, self._open = keep, 0

    def curve(self) -> Curve:
        first, low, high, total, count = self._columns[:, : self._full + (self._open > 0)].copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / count
        return Curve(first, low, high, mean)
