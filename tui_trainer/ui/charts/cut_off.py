"""Marks at a chart's upper and lower edge for the values that it has no room for, with the greatest of them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tui_trainer.history.curve import Curve, Values
from tui_trainer.ui.charts.axes import Scale
from tui_trainer.ui.charts.canvas import Canvas
from tui_trainer.ui.numbers import significant

ABOVE, BELOW = "▲", "▼"


def mark_cut_off(canvas: Canvas, curves: Sequence[Curve], steps: Scale, values: Scale, style: str) -> None:
    """For each group of neighbouring columns with values beyond an edge a mark, and the value if there is room."""
    highest, lowest = (_extremes(curves, steps, canvas.width, name) for name in ("high", "low"))
    top, bottom = (10.0**limit if values.log else limit for limit in (values.high, values.low))
    _mark(canvas, 0, ABOVE, np.where(highest > top, highest, -np.inf), highest, style)
    _mark(canvas, canvas.height - 1, BELOW, np.where(lowest < bottom, -lowest, -np.inf), lowest, style)


def _extremes(curves: Sequence[Curve], steps: Scale, columns: int, name: str) -> Values:
    """The greatest (`high`) or the least (`low`) value of each column, NaN where it has none; shape (columns,)."""
    found = np.full(columns, np.nan)
    for curve in curves:
        inside = (curve.steps >= steps.low) & (curve.steps <= steps.high)
        places = (curve.steps[inside] - steps.low) / (steps.high - steps.low) * columns
        combine = np.fmax if name == "high" else np.fmin
        combine.at(found, np.minimum(places.astype(np.intp), columns - 1), getattr(curve, name)[inside])
    return found


def _mark(canvas: Canvas, row: int, mark: str, beyond: Values, values: Values, style: str) -> None:
    """`beyond` is how far a column's value lies outside, and minus infinity where it does not."""
    taken: list[tuple[int, int]] = []
    for first, last in sorted(_groups(beyond > -np.inf), key=lambda group: -float(beyond[group[0] : group[1]].max())):
        column = first + int(np.argmax(beyond[first:last]))
        label = mark + significant(float(values[column]))
        for text, start in ((label, column), (label, canvas.width - len(label)), (mark, column)):
            end = start + len(text)
            if start <= column < end <= canvas.width and all(end < a or b < start for a, b in taken):
                canvas.write(row, start, text, style)
                taken.append((start, end))
                break


def _groups(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first column of each group of chosen ones, and that after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], chosen, [False])).astype(np.int8)))
    return list(pairwise(edges.tolist()))[::2]
