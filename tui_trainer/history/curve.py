"""A metric over a stretch of steps, as a chart needs it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_trainer.history.cells import LOW, Cells, combine

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Arrays of shape (points,), by step; a point stands for the values from its step to the next point's.

    Low, high and mean are NaN where what was measured is no finite number.
    """

    steps: Values
    low: Values
    high: Values
    mean: Values
    count: Values
    """Finite values that a point stands for."""

    def __len__(self) -> int:
        return len(self.steps)

    def part(self, begin: int, end: int) -> "Curve":
        """The points from the number `begin` to before `end`, as of a sequence."""
        return Curve(*(values[begin:end] for values in vars(self).values()))


def exact_curve(steps: Values, values: Values) -> Curve:
    """A curve of single values."""
    return Curve(steps, values, values, values, np.ones(len(values)))


def joined(*curves: Curve) -> Curve:
    """The points of several curves, which follow one another."""
    return Curve(*(np.concatenate(values) for values in zip(*(vars(curve).values() for curve in curves), strict=True)))


EMPTY_CURVE = exact_curve(np.empty(0), np.empty(0))


def in_columns(steps: Values, cells: Cells, start: float, end: float, columns: int) -> Curve:
    """A curve of at most `columns` points, one for each of so many equal parts of the axis from `start` to `end`.

    `steps`, ascending, of shape (n,) are those of the `cells`, of shape (4, n).
    """
    measured = ~np.isnan(cells[LOW])
    steps, cells = steps[measured], cells[:, measured]
    if not len(steps):
        return EMPTY_CURVE
    column = np.clip((steps - start) * (columns / max(end - start, 1e-9)), 0, columns - 1).astype(np.int64)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    low, high, total, count = combine(cells, starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
    low[np.isinf(low)] = high[np.isinf(high)] = np.nan
    return Curve(steps[starts], low, high, mean, count)
