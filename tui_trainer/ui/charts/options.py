"""What all charts have in common: their steps, the cursor, the unit of their axis, smoothing and scales."""

from dataclasses import dataclass, field, replace
from typing import Final

from tui_trainer.state.run_state import SMOOTHINGS
from tui_trainer.ui.charts.viewport import Viewport
from tui_trainer.ui.markers import BRAILLE, MARKERS

STEPS, TOKENS, TIME = "steps", "tokens", "time"
UNITS: Final = (STEPS, TOKENS, TIME)
"""Of the horizontal axis."""

RAW: Final = "none"

STRENGTHS: Final = (RAW, *SMOOTHINGS)
"""How much the loss can be smoothed, from nothing on."""


@dataclass(frozen=True)
class ChartOptions:
    viewport: Viewport = field(default_factory=Viewport)
    cursor: float | None = None
    """The step whose values are read out; None without a cursor."""
    unit: str = STEPS
    smoothing: str = "normal"
    other_scale: frozenset[int] = frozenset()
    """Numbers of the panes whose values are on the scale, linear or logarithmic, that they do not have at first."""

    marker: str = BRAILLE
    """What lines are made of: one of MARKERS."""

    def with_next_unit(self) -> "ChartOptions":
        return replace(self, unit=_next(UNITS, self.unit))

    def with_next_smoothing(self) -> "ChartOptions":
        return replace(self, smoothing=_next(STRENGTHS, self.smoothing))

    def with_next_marker(self) -> "ChartOptions":
        return replace(self, marker=_next(MARKERS, self.marker))

    def with_other_scale(self, pane: int) -> "ChartOptions":
        return replace(self, other_scale=self.other_scale ^ {pane})


def _next(values: tuple[str, ...], value: str) -> str:
    return values[(values.index(value) + 1) % len(values)]
