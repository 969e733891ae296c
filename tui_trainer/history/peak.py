"""Where in a stretch of steps a metric is greatest."""

from typing import Final, Protocol

import numpy as np

from tui_trainer.history.curve import Curve

PARTS: Final = 64
"""That a stretch is divided into at a time."""


class Windows(Protocol):
    """A history, or a part of one in detail."""

    def window(self, metric: str, start: float, end: float, columns: int) -> Curve: ...


def peak(windows: Windows, metric: str, start: float, end: float) -> tuple[float, float] | None:
    """The step and the greatest value from step `start` to `end`; None if none is finite.

    As near as the history tells: the step is the first of its bucket.
    """
    while True:
        curve = windows.window(metric, start, end, PARTS)
        if not np.isfinite(curve.high).any():
            return None
        at = int(np.nanargmax(curve.high))
        following = curve.steps[at + 1] - 1 if at + 1 < len(curve) else end
        if len(curve) == 1 or following <= curve.steps[at]:
            return float(curve.steps[at]), float(curve.high[at])
        start, end = float(curve.steps[at]), float(following)
