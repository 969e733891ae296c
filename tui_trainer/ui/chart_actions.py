"""The actions behind the keys of the charts: what part of the run they show, and the cursor that reads it out."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tui_trainer.history.detail import Detail
from tui_trainer.history.history import BUCKETS
from tui_trainer.history.peak import peak
from tui_trainer.sessions.base import Session
from tui_trainer.ui.actions import RunActions
from tui_trainer.ui.charts.options import STEPS, ChartOptions
from tui_trainer.ui.charts.viewport import PAN, ZOOM, Viewport
from tui_trainer.ui.markers import ASCII, BLOCK, BRAILLE
from tui_trainer.ui.settings import ScreenSettings, remember
from tui_trainer.ui.view import LoadedDetail, View

SHOWN_AS: Final = {BRAILLE: "braille dots", BLOCK: "blocks", ASCII: "ASCII, as all is"}

MOST_DETAIL: Final = BUCKETS // 3
"""Steps that are shown when the charts load each from the journal, with as many before and after, of a longer history.

So a detail has every single one.
"""


NO_STEPS: Final = "The charts begin with the first step."


class ChartActions(RunActions):
    """The part of the app that moves what the charts show."""

    def __init__(self, session: Session, settings: ScreenSettings) -> None:
        super().__init__(session, settings)
        self.options = ChartOptions(marker=self.first_marker)
        self._loaded: LoadedDetail | None = None
        self._loading: tuple[float, float, Future[Detail]] | None = None

    @property
    def focused_chart(self) -> int | None:
        """The number of the pane that has the focus, if it shows charts."""
        raise NotImplementedError

    def view(self) -> View:
        """What the panes are to draw now."""
        raise NotImplementedError

    def _use(self, viewport: Viewport | None = None, cursor: float | None = None) -> None:
        """Show another part of the run, or move the cursor; None leaves it where it is."""
        if self._empty():
            return
        self.options = replace(
            self.options,
            viewport=viewport or self.options.viewport,
            cursor=self.options.cursor if cursor is None else cursor,
        )
        self.load_detail()
        self.draw()

    def _empty(self) -> bool:
        """Whether there are no charts yet; if so, the user is told."""
        if not self.snapshot.step:
            self.say(NO_STEPS)
        return not self.snapshot.step

    def action_zoom(self, direction: int, around: float | None = None) -> None:
        """Nearer (1) or further (-1), around a step, or the cursor: it moves to the greatest loss of its column."""
        view = self.view()
        if around is None and (found := view.peak()) is not None:
            around, self.options = found[0], replace(self.options, cursor=found[0])
        self._use(self.options.viewport.zoomed(view.extent, ZOOM**-direction, around))

    def action_move(self, columns: int) -> None:
        """The cursor by so many columns, with the window where it leaves that; without a cursor the window."""
        view, viewport = self.view(), self.options.viewport
        if self.options.cursor is None:
            self.action_pan(PAN if columns > 0 else -PAN)
            return
        start, end = view.window
        moved = self.options.cursor + columns * max(1.0, (end - start) / view.columns)
        step = round(min(view.extent.last, max(view.extent.first, moved)))
        self._use(viewport.containing(view.extent, step), step)

    def action_pan(self, part: float) -> None:
        """Move the window by a part of its width."""
        self._use(self.options.viewport.panned(self.view().extent, part))

    def action_show_all(self) -> None:
        self._use(Viewport())

    def action_show_start(self) -> None:
        self._use(self.options.viewport.at_start(self.view().extent))

    def action_show_end(self) -> None:
        self._use(self.options.viewport.at_end(self.view().extent))

    def action_freeze(self) -> None:
        """Freeze the steps that are shown, or follow the newest ones again."""
        viewport, extent = self.options.viewport, self.view().extent
        self._use(viewport.frozen(extent) if viewport.follows else viewport.at_end(extent))

    def action_cursor(self) -> None:
        """Show the cursor, at the newest step shown, or hide it."""
        if self.options.cursor is not None:
            self.hide_cursor()
        else:
            self.action_point_at(min(self.view().window[1], self.view().extent.last))

    def action_point_at(self, step: float) -> None:
        """Put the cursor on a step."""
        extent = self.view().extent
        self._use(cursor=round(min(extent.last, max(extent.first, step))))

    def hide_cursor(self) -> None:
        self.options = replace(self.options, cursor=None)
        self.draw()

    def action_change_unit(self) -> None:
        if self._empty():
            return
        self.options = self.options.with_next_unit()
        if self.options.unit != STEPS and self.view().positions is None:
            self.say(f"This run does not tell {self.options.unit}: the axis counts steps.")
        else:
            self.say(f"The axis counts {self.options.unit}.", timeout=2)
        self.draw()

    def action_change_smoothing(self) -> None:
        if self._empty():
            return
        self.options = self.options.with_next_smoothing()
        self.say(f"Smoothing: {self.options.smoothing}.", timeout=2)
        self.draw()

    def action_change_scale(self) -> None:
        if self._empty():
            return
        if (pane := self.focused_chart) is None:
            self.say("Focus a chart first: 1 to 4, or tab.")
            return
        self.options = self.options.with_other_scale(pane)
        self.draw()

    def _move_to_peak(self, loaded: LoadedDetail) -> None:
        """Put a cursor on the greatest loss itself that was put on the first step of the bucket that has it."""
        step, stride = self.options.cursor, self.snapshot.history.stride
        if step is None or step % stride or not loaded.first <= step <= loaded.last - stride:
            return
        if (found := peak(loaded.detail, "loss", step, step + stride - 1)) is not None:
            self.options = replace(self.options, cursor=found[0])

    def action_change_markers(self) -> None:
        self.options = self.options.with_next_marker()
        self.use_ascii(self.options.marker == ASCII)
        remember(markers=self.options.marker)
        self.say(f"Charts are drawn in {SHOWN_AS[self.options.marker]}.", timeout=2)
        self.draw()

    def load_detail(self) -> None:
        """Take what was read from the journal; have more read where the history has too little for what is shown."""
        if self._loading is not None and self._loading[2].done():
            first, last, future = self._loading
            self._loading = None
            with suppress(Exception):  # the journal cannot be read: what the history has is shown
                self._loaded = LoadedDetail(first, last, future.result())
                self._move_to_peak(self._loaded)
        if self.snapshot.history.stride == 1 or self._loading is not None:
            return
        view = self.view()
        start, end = view.window
        if end - start > MOST_DETAIL or end > view.extent.last:  # of the newest steps of a run there are always more
            return
        if self._loaded is None or not (self._loaded.first <= start and end <= self._loaded.last):
            first, last = max(view.extent.first, start - (end - start)), min(view.extent.last, end + (end - start))
            self._loading = first, last, self.session.detail(int(first), int(last))
