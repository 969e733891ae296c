"""Summaries of stretches of steps: least, greatest, sum and count of a metric's values, as arrays of floats.

`Cells` has the shape (..., 4, n): n stretches, and for each the four numbers below. Where nothing was measured, least
and greatest are NaN; where all that was measured is no finite number, they are infinity and minus infinity. So `fmin`
and `fmax` combine stretches, and what was measured wins over a gap, and a gap over nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_trainer.run.codec import LARGEST

Cells = NDArray[np.float64]

LOW, HIGH, TOTAL, COUNT = range(4)

Measured = tuple[int, Mapping[str, float | None]]
"""The step of a measurement, and its values by metric."""

ABSENT: Final = -np.inf
"""Stands for a metric that a measurement does not have."""


def empty_cells(metrics: int, length: int) -> Cells:
    """Cells in which nothing was measured: shape (metrics, 4, length)."""
    cells = np.zeros((metrics, 4, length))
    cells[:, : COUNT - 1] = np.nan
    return cells


def cells_of(measured: Sequence[Measured], metrics: Sequence[str]) -> Cells:
    """A cell for each measurement: shape (metrics, 4, measurements)."""
    values = np.array([[numbers.get(name, ABSENT) for _, numbers in measured] for name in metrics], np.float64)
    values = values.reshape(len(metrics), len(measured))
    finite, absent = np.abs(values) < LARGEST[float], values == ABSENT
    cells = np.empty((len(metrics), 4, len(measured)))
    cells[:, LOW] = np.where(finite, values, np.where(absent, np.nan, np.inf))
    cells[:, HIGH] = np.where(finite, values, np.where(absent, np.nan, -np.inf))
    cells[:, TOTAL] = np.where(finite, values, 0.0)
    cells[:, COUNT] = finite
    return cells


def combine(cells: Cells, starts: NDArray[np.intp]) -> Cells:
    """One cell for each stretch of cells, which begin at `starts` (ascending): shape (..., 4, len(starts))."""
    combined = np.empty((*cells.shape[:-1], len(starts)))
    np.fmin.reduceat(cells[..., LOW, :], starts, axis=-1, out=combined[..., LOW, :])
    np.fmax.reduceat(cells[..., HIGH, :], starts, axis=-1, out=combined[..., HIGH, :])
    np.add.reduceat(cells[..., TOTAL:, :], starts, axis=-1, out=combined[..., TOTAL:, :])
    return combined


def combine_equal(cells: Cells, factor: int) -> Cells:
    """One cell for every `factor` cells, of which there are a multiple; faster than `combine`."""
    parts = [cells[..., at::factor] for at in range(factor)]
    combined = np.array(parts[0])
    for part in parts[1:]:
        np.fmin(combined[..., LOW, :], part[..., LOW, :], out=combined[..., LOW, :])
        np.fmax(combined[..., HIGH, :], part[..., HIGH, :], out=combined[..., HIGH, :])
        combined[..., TOTAL:, :] += part[..., TOTAL:, :]
    return combined


def grow(cells: Cells, metrics: int, length: int, kept: int) -> Cells:
    """A copy of the first `kept` cells, with room for `length` and for more metrics, of which nothing was measured."""
    grown = np.empty((metrics, 4, length))
    grown[: len(cells), :, :kept] = cells[:, :, :kept]
    grown[len(cells) :, :, :kept] = empty_cells(metrics - len(cells), kept)
    return grown
