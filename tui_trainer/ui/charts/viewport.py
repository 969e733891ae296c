"""Which steps the charts show: all of them, the last ones, or a part that stays; zoomed and moved by the keys."""

import math
from dataclasses import dataclass, replace
from typing import Final

ZOOM: Final = 2.0
"""How much nearer one key press goes."""

LEAST_SPAN: Final = 1.0
"""Steps: nothing lies between two of them."""

PAN: Final = 0.25
"""Part of the window that it moves by at once."""


ROOM: Final = 8
"""The empty part after the newest step is at most one of so many parts of the window."""


@dataclass(frozen=True)
class Extent:
    """The first and the last step that there is anything to show of."""

    first: float
    last: float

    @property
    def span(self) -> float:
        return max(LEAST_SPAN, self.last - self.first)


@dataclass(frozen=True)
class Viewport:
    """`span` steps, None for as many as there are, up to the step `end`, None for the newest one, whatever that is."""

    span: float | None = None
    end: float | None = None

    @property
    def follows(self) -> bool:
        """Whether it moves on with the run."""
        return self.end is None

    @property
    def shows_all(self) -> bool:
        return self.span is None and self.follows

    def window(self, extent: Extent) -> tuple[float, float]:
        """The first and the last step shown, which are at least a step apart."""
        end = extent.last if self.end is None else min(self.end, extent.last)
        start = extent.first if self.span is None else max(extent.first, end - self.span)
        return start, max(end, start + LEAST_SPAN)

    def zoomed(self, extent: Extent, factor: float, around: float | None = None) -> "Viewport":
        """With `factor` times as many steps; the step `around` keeps its place.

        Without one the newest step does where it is followed, else the middle of the window.
        """
        start, end = self.window(extent)
        span = max(LEAST_SPAN, round((end - start) * factor))
        if span >= extent.span and factor > 1:
            return Viewport(None, None if self.follows else extent.last)
        if around is None and self.follows:
            return Viewport(span)
        around = (start + end) / 2 if around is None else min(end, max(start, around))
        kept = (around - start) / (end - start)
        return self._within(extent, around - kept * span, span)

    def panned(self, extent: Extent, part: float) -> "Viewport":
        """Moved by a part of its width, later or, where that is negative, earlier; as far as there are steps."""
        start, end = self.window(extent)
        if part > 0 and self.follows:
            return self
        return self._within(extent, start + (end - start) * part, end - start)

    def at_start(self, extent: Extent) -> "Viewport":
        """The first steps, as many as are shown now."""
        start, end = self.window(extent)
        return self._within(extent, extent.first, end - start)

    def at_end(self, extent: Extent) -> "Viewport":
        """The newest steps, as many as are shown now, from now on."""
        start, end = self.window(extent)
        return Viewport() if self.span is None else Viewport(end - start)

    def frozen(self, extent: Extent) -> "Viewport":
        """The same steps, from now on."""
        start, end = self.window(extent)
        return Viewport(end - start, end)

    def containing(self, extent: Extent, step: float) -> "Viewport":
        """Moved as far as it takes to have a step in it."""
        start, end = self.window(extent)
        if start <= step <= end:
            return self
        return self._within(extent, step if step < start else step - (end - start), end - start)

    def _within(self, extent: Extent, start: float, span: float) -> "Viewport":
        start = max(extent.first, min(float(round(start)), extent.last - span))
        return replace(self, span=span, end=start + span)


def with_room(start: float, end: float, limit: float) -> float:
    """The end of a window to which new steps are yet to come, so that it stays for some time; at most `limit`.

    Between two ends the curve grows into the room that is left, and does not move.
    """
    part = 2.0 ** math.floor(math.log2(max(LEAST_SPAN, end - start))) / ROOM
    roomy = start + math.ceil((end - start) / max(1.0, part)) * max(1.0, part)
    return max(end, min(roomy, limit))
