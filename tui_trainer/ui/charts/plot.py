"""What a chart draws, at any size: lines, rules, points and flags over a stretch of steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui_trainer.history.curve import Curve
from tui_trainer.ui.charts.options import STEPS
from tui_trainer.ui.markers import BRAILLE


@dataclass(frozen=True)
class Line:
    """A curve and the name of its style; a `band` is drawn by its minima and maxima, another line by its means.

    `dotted` puts dots on it, which distinguish it from other lines where they cross, and without colours. One that is
    not `joined` is of these dots alone, in every column that has a value. With `whole` the values that the chart has no
    room for are marked at its edge.
    """

    curve: Curve
    style: str
    band: bool = False
    dotted: bool = False
    joined: bool = True
    whole: bool = True


@dataclass(frozen=True)
class Rule:
    """A dashed horizontal line at a value, with a label on it."""

    value: float
    label: str
    style: str = "limit"


@dataclass(frozen=True)
class Point:
    """One value, drawn as a character."""

    step: float
    value: float
    style: str
    character: str = "●"


@dataclass(frozen=True)
class Flag:
    """A letter at a step on the step axis; of several in one place that of the highest priority is shown."""

    step: float
    letter: str
    style: str = "axis"
    priority: int = 0


@dataclass(frozen=True)
class Plot:
    """Steps from `start` to `end`, values from `low` to `high`."""

    start: float
    end: float
    low: float
    high: float
    lines: Sequence[Line] = ()
    rules: Sequence[Rule] = ()
    points: Sequence[Point] = ()
    flags: Sequence[Flag] = ()
    log: bool = False
    step_axis: bool = True
    unit: str = STEPS
    """Of the horizontal axis."""
    positions: Curve | None = None
    """Where on that the steps lie, in tokens or seconds; None where it counts steps."""
    marker: str = BRAILLE
    """What lines are made of: one of MARKERS."""
