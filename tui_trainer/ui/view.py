"""The data that panes draw: a snapshot of the run with its history, the pending commands and what charts show of it."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from tui_trainer.history.curve import EMPTY_CURVE, Curve, joined
from tui_trainer.history.detail import Detail
from tui_trainer.history.peak import Windows, peak
from tui_trainer.run.events import TRAINING
from tui_trainer.state.marks import Mark
from tui_trainer.state.run_state import SMOOTHINGS
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.access import Access
from tui_trainer.ui.charts.options import TIME, TOKENS, ChartOptions
from tui_trainer.ui.charts.viewport import Extent, with_room
from tui_trainer.ui.output.budget import DEVICE_SHARE, PROCESSOR_SHARE, WHOLE_CORE
from tui_trainer.ui.pending_commands import PendingCommands

CURVE_POINTS: Final = 2048
"""Points in a curve: several for each column of the widest chart, as its limits and dots depend on single points."""

FEW_POINTS: Final = 8
"""With fewer in the window, those next to it are looked for, so that the line goes on to its edges."""

UNIT_METRICS: Final = {TOKENS: "tokens", TIME: "elapsed"}
"""By the unit of the axis: the metric that tells where a step lies on it."""


@dataclass(frozen=True)
class LoadedDetail:
    """Every step from `first` to `last`, of a run whose history has fewer."""

    first: float
    last: float
    detail: Detail


@dataclass(frozen=True)
class View:
    snapshot: Snapshot = field(default_factory=Snapshot)
    access: Access = field(default_factory=Access)
    pending: PendingCommands = field(default_factory=PendingCommands)
    options: ChartOptions = field(default_factory=ChartOptions)
    loaded: LoadedDetail | None = None
    columns: int = 100
    """Of a chart: so many parts of the window can be pointed at."""
    bytes_per_second: float | None = None
    """That are sent to the terminal."""

    @cached_property
    def extent(self) -> Extent:
        """Of the steps there are: from one before the first, which is 0 unless the journal begins later."""
        steps = self.snapshot.history.window("loss", 0, self.snapshot.step, FEW_POINTS).steps
        return Extent(max(0.0, float(steps[0]) - 1) if len(steps) else 0.0, float(self.snapshot.step))

    @cached_property
    def window(self) -> tuple[float, float]:
        """The first and the last step that the charts have room for."""
        viewport, run = self.options.viewport, self.snapshot.run
        start, end = viewport.window(self.extent)
        if not viewport.follows or self.snapshot.state not in TRAINING:
            return start, end
        roomy = with_room(start, end, (run and run.plan.steps) or math.inf)
        return (start if viewport.span is None else start + roomy - end), roomy

    def curve(self, metric: str) -> Curve:
        """A metric over the steps shown, and the points next to them; empty before its first value."""
        start, end = self.window
        return self.part(metric, start, end, CURVE_POINTS)

    def part(self, metric: str, start: float, end: float, points: int) -> Curve:
        """A metric from one step to another in about so many points, and the points next to them."""
        history, step = self.snapshot.history, self.snapshot.step
        if (windows := self._windows(start, end)) is not history:
            curve = windows.window(metric, start - 1, min(step, end + 1), points)
            if len(curve):
                return curve
        curve = history.window(metric, start - history.stride, min(step, end + history.stride), points)
        if len(curve) >= FEW_POINTS:
            return curve
        whole = history.window(metric, 0, step, CURVE_POINTS)
        before, after = np.searchsorted(whole.steps, start), np.searchsorted(whole.steps, end, side="right")
        inside = curve.part(*np.searchsorted(curve.steps, [start, end + 1]).tolist())
        return joined(whole.part(max(0, int(before) - 1), int(before)), inside, whole.part(int(after), int(after) + 1))

    @property
    def smoothed_metric(self) -> str:
        """The loss, smoothed as strongly as the options say."""
        return SMOOTHINGS.get(self.options.smoothing, "loss")

    @property
    def is_idle(self) -> bool:
        """Whether no steps are taken, so that charts must show the last one without delay."""
        return self.snapshot.state != "running" or self.access.is_played

    @property
    def drawing_share(self) -> float:
        """Of a core, that drawing may take from the training."""
        if self.is_idle or self.snapshot.run is None:
            return WHOLE_CORE
        return PROCESSOR_SHARE if self.snapshot.run.machine.device == "cpu" else DEVICE_SHARE

    @cached_property
    def positions(self) -> Curve | None:
        """Where on the axis the steps lie, if it does not count them and that is known."""
        metric = UNIT_METRICS.get(self.options.unit)
        curve = self.snapshot.history.window(metric, 0, self.snapshot.step, CURVE_POINTS) if metric else EMPTY_CURVE
        return curve if len(curve) else None

    # -- what is under the cursor --------------------------------------------------------------------------------------

    @property
    def pointed(self) -> tuple[float, float] | None:
        """The first and the last step of the column that the cursor is in; None without a cursor."""
        if (step := self.options.cursor) is None:
            return None
        start, end = self.window
        half = max(0.0, ((end - start) / self.columns - 1) / 2)
        return max(self.extent.first, np.ceil(step - half)), min(self.extent.last, np.floor(step + half))

    def read(self, metric: str) -> Curve:
        """What was measured in the column that the cursor is in, in one point; else the newest before it."""
        if self.pointed is None:
            return EMPTY_CURVE
        first, last = self.pointed
        source = self.snapshot.history
        for windows in (self._windows(first, last), source):
            if len(curve := windows.window(metric, first, last, 1)):
                return curve
        earlier = source.window(metric, 0, last, CURVE_POINTS)
        return earlier.part(len(earlier) - 1, len(earlier)) if len(earlier) else earlier

    def value(self, metric: str) -> float | None:
        """The mean of what is read."""
        curve = self.read(metric)
        return float(curve.mean[0]) if len(curve) and np.isfinite(curve.mean[0]) else None

    def peak(self) -> tuple[float, float] | None:
        """The step and the value of the greatest loss in the column that the cursor is in."""
        return None if self.pointed is None else peak(self._windows(*self.pointed), "loss", *self.pointed)

    def _windows(self, first: float, last: float) -> Windows:
        """What has the most detail of some steps."""
        loaded = self.loaded
        if loaded is not None and loaded.first <= first and last <= loaded.last:
            return loaded.detail
        return self.snapshot.history

    def marks(self, first: float, last: float) -> list[Mark]:
        """Those of the steps from `first` to `last`."""
        return [mark for mark in self.snapshot.marks if first <= mark.step <= last]
