"""The horizontal axis: where a step lies on it, whether it counts steps, tokens or the time that was trained."""

from dataclasses import dataclass, replace

import numpy as np

from tui_trainer.history.curve import Curve, Values
from tui_trainer.ui.charts.axes import Scale, step_ticks, time_ticks
from tui_trainer.ui.charts.options import TIME
from tui_trainer.ui.charts.plot import Plot

STEP_DOTS = 2
"""Of a cell, across."""


@dataclass(frozen=True)
class StepAxis:
    """`steps` and `values`, both ascending, of shape (n,), say where steps lie; those between and beyond in line."""

    scale: Scale
    steps: Values
    values: Values

    @classmethod
    def of(cls, plot: Plot, columns: int) -> "StepAxis":
        steps, values = _known(plot.positions)
        low, high = np.interp([plot.start, max(plot.end, plot.start + 1)], steps, values)
        high = max(high, low + 1e-3)
        ticks = (time_ticks if plot.unit == TIME else step_ticks)(low, high, columns)
        return cls(Scale(float(low), float(high), ticks), steps, values)

    def at(self, steps: Values) -> Values:
        return np.interp(steps, self.steps, self.values)

    def placed(self, curve: Curve) -> Curve:
        """The curve by places on the axis in place of steps."""
        return replace(curve, steps=self.at(curve.steps))

    def column(self, step: float, columns: int) -> int | None:
        """That of so many columns that a step is in; None if it is in none."""
        return self.scale.cell(float(self.at(np.array([step]))[0]), columns, STEP_DOTS)

    def step_at(self, part: float) -> float:
        """The step that lies at a part, from 0 to 1, of the axis."""
        place = self.scale.low + part * (self.scale.high - self.scale.low)
        return float(np.interp(place, self.values, self.steps))


def _known(positions: Curve | None) -> tuple[Values, Values]:
    """Steps and where they lie, with one far before and one far beyond, as far apart as they are on average."""
    far = 1e15
    if positions is None or not len(positions):
        return np.array([-far, far]), np.array([-far, far])
    finite = np.isfinite(positions.low)
    steps, values = positions.steps[finite], np.maximum.accumulate(positions.low[finite])
    if not len(steps):
        return np.array([-far, far]), np.array([-far, far])
    apart = (values[-1] - values[0]) / (steps[-1] - steps[0]) if len(steps) > 1 else values[0] / max(1.0, steps[0])
    before, beyond = [values[0] - far * apart], [values[-1] + far * apart]
    return (
        np.concatenate(([steps[0] - far], steps, [steps[-1] + far])),
        np.concatenate((before, values, beyond)),
    )
