"""Curves reduced to what a chart can show, with every minimum and maximum kept, and limits for them."""

import numpy as np
from numpy.typing import NDArray

from tui_trainer.history.curve import Curve, Values

Points = tuple[Values, Values]


def columns_of(curve: Curve, low: float, high: float, columns: int) -> NDArray[np.intp]:
    """Index of the first point in each of `columns` equal parts of the axis `low` to `high`, empty parts left out."""
    column = np.floor((curve.steps - low) / max(high - low, 1e-9) * columns)
    return np.flatnonzero(np.diff(column, prepend=column[:1] - 1))


def envelope(curve: Curve, low: float, high: float, columns: int) -> list[Points]:
    """The line through the minimum of every column and, if it is another one, that through the maximum."""
    if not len(curve):
        return []
    starts = columns_of(curve, low, high, columns)
    bottom, top = np.fmin.reduceat(curve.low, starts), np.fmax.reduceat(curve.high, starts)
    lines = [bottom] if np.array_equal(bottom, top, equal_nan=True) else [bottom, top]
    return [(curve.steps[starts], line) for line in lines]


def mean_line(curve: Curve, low: float, high: float, columns: int) -> Points:
    """The line through the mean of every column; NaN where no value is finite."""
    if not len(curve):
        return curve.steps, curve.mean
    starts = columns_of(curve, low, high, columns)
    finite = np.isfinite(curve.mean)
    counts = np.add.reduceat(finite.astype(float), starts)
    sums = np.add.reduceat(np.where(finite, curve.mean, 0.0), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return curve.steps[starts], sums / counts


def within(x: Values, y: Values, low: float, high: float) -> Points:
    """The part of a line, by ascending `x`, from `low` to `high`; where it goes on beyond these, it ends on them."""
    if not len(x) or (low <= x[0] and x[-1] <= high):
        return x, y
    ends = [edge for edge in (low, high) if x[0] < edge < x[-1]]
    inside = (x >= low) & (x <= high)
    places = np.concatenate((x[inside], ends))
    values = np.concatenate((y[inside], np.interp(ends, x, y)))
    order = np.argsort(places, kind="stable")
    return places[order], values[order]


def finite_range(*series: Values) -> tuple[float, float] | None:
    """The smallest and the largest finite value; None if there is none."""
    values = np.concatenate([values[np.isfinite(values)] for values in series])
    return (float(values.min()), float(values.max())) if len(values) else None


def between(curve: Curve, start: float, end: float) -> Curve:
    """The points from a step to another, both included."""
    return curve.part(int(np.searchsorted(curve.steps, start)), int(np.searchsorted(curve.steps, end, side="right")))


def spaced_indexes(steps: Values, distance: float) -> list[int]:
    """Indexes of points at least `distance` apart, from the last backwards."""
    chosen: list[int] = []
    for index in range(len(steps) - 1, -1, -1):
        if not chosen or steps[chosen[-1]] - steps[index] >= distance:
            chosen.append(index)
    return chosen


def clipped(values: Values, low: float, high: float) -> Values:
    """Values clipped to limits; NaN for those outside, except next to one inside."""
    values = np.where(np.isfinite(values), values, np.nan)
    rounding = (high - low) * 1e-9  # the mean of equal values may differ from them
    outside = (values < low - rounding) | (values > high + rounding)
    padded = np.concatenate(([True], outside, [True]))
    return np.where(outside & padded[:-2] & padded[2:], np.nan, np.clip(values, low, high))


def quantile_limits(curve: Curve, part: float = 0.99) -> Values:
    """Two quantiles between which the middle `part` of a curve's extremes lies, so that rare spikes set no limits.

    Empty if no value is finite.
    """
    low, high = curve.low[np.isfinite(curve.low)], curve.high[np.isfinite(curve.high)]
    if not len(low):
        return low
    return np.array([np.quantile(low, (1 - part) / 2), np.quantile(high, (1 + part) / 2)])
