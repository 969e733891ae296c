"""The history of a run's metrics: one thread writes it, any thread reads it, without a lock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_trainer.history.cells import Cells, Measured, cells_of, combine, combine_equal, empty_cells, grow
from tui_trainer.history.curve import EMPTY_CURVE, Curve, in_columns
from tui_trainer.history.pyramid import Pyramid

BUCKETS: Final = 32_768
"""At the finest resolution: beyond so many steps a bucket has two, then four, and so on."""

METRICS: Final = 40
"""Of which a history is kept, the first ones: some 1.4 MB each, so that all take less than 64 MB."""

NAMED: Final = frozenset(
    (
        *("loss", "smoothed_loss", "lr", "grad_norm", "weight_norm", "tokens", "step_seconds", "tokens_per_second"),
        *("train_loss", "val_loss", "bits_per_byte", "sampled_val_loss", "sampled_val_error"),
        *("lightly_smoothed_loss", "strongly_smoothed_loss", "elapsed"),
    )
)
"""Metrics of every run, whose rows no other numbers take."""

BATCH: Final = 128
"""Measurements that are put into buckets at once."""

CELLS_A_COLUMN: Final = 4
"""Of how many cells, at most, a column of a window is made up."""


@dataclass(frozen=True)
class View:
    """All that a reader needs; the writer appends to `recent` only, and replaces the view for other changes."""

    pyramid: Pyramid
    """The buckets that are full."""
    open: Cells
    """The bucket after those: shape (metrics, 4, 1)."""
    metrics: Mapping[str, int] = field(default_factory=dict)
    """Which row each has."""
    recent: list[Measured] = field(default_factory=list)
    """What is not yet in the buckets."""


def empty_view() -> View:
    return View(Pyramid.of(empty_cells(0, 0)), empty_cells(0, 1))


class History:
    """Every metric's values over the steps, in at most `buckets` buckets of equally many steps.

    A bucket has the least and the greatest value, the mean and the count, so that a spike of one step is still there
    after ten million.
    """

    def __init__(self, buckets: int | None = None, batch: int | None = None) -> None:
        self._buckets, self._batch = buckets or BUCKETS, batch or BATCH
        assert self._buckets % 2 == 0
        self._view = empty_view()

    @classmethod
    def of(cls, metrics: Sequence[str], stride: int, cells: Cells) -> "History":
        """Of whole buckets, of shape (metrics, 4, buckets), from step 0 on."""
        history = cls()
        rows = {name: row for row, name in enumerate(metrics)}
        history._view = View(Pyramid.of(cells, stride), empty_cells(len(rows), 1), rows)
        return history

    # -- for any thread ------------------------------------------------------------------------------------------------

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics there are, but for those measured first a moment ago."""
        return tuple(self._view.metrics)

    @property
    def buckets(self) -> int:
        """How many buckets there are at most: so many steps have one each."""
        return self._buckets

    @property
    def stride(self) -> int:
        """Steps of a bucket: there is no more detail than that."""
        return self._view.pyramid.stride

    def buckets_before(self, step: int) -> tuple[tuple[str, ...], int, Cells]:
        """What the steps before `step` amount to: the metrics, the stride, and cells, of shape (metrics, 4, buckets).

        Raises ValueError where a bucket has steps before and after, or is not full yet.
        """
        view = self._view
        length, part = divmod(step, view.pyramid.stride)
        if part or length > view.pyramid.length:
            raise ValueError(f"no full bucket ends before step {step:,}")
        return tuple(view.metrics), view.pyramid.stride, view.pyramid.cells[:, :, :length]

    def window(self, metric: str, start: float, end: float, columns: int) -> Curve:
        """A metric from step `start` to `end`, both included, in at most `columns` points.

        Takes time that depends on `columns` alone. The buckets at both ends count whole.
        """
        view = self._view
        row = view.metrics.get(metric)
        recent = [(step, numbers) for step, numbers in tuple(view.recent) if metric in numbers and start <= step <= end]
        pieces = [] if row is None else _pieces(view, row, start, end, columns * CELLS_A_COLUMN)
        if recent:
            pieces.append((np.array([float(step) for step, _ in recent]), cells_of(recent, (metric,))[0]))
        if not pieces:
            return EMPTY_CURVE
        steps = np.concatenate([steps for steps, _ in pieces])
        cells = np.concatenate([cells for _, cells in pieces], axis=-1)
        if recent and np.any(np.diff(steps) < 0):  # a measurement came late
            order = np.argsort(steps, kind="stable")
            steps, cells = steps[order], cells[:, order]
        return in_columns(steps, cells, start, end, columns)

    # -- for the thread that writes ------------------------------------------------------------------------------------

    def add(self, step: int, values: Mapping[str, float | None]) -> None:
        """Append the measurements of a step; None, and what is not finite, is a gap."""
        recent = self._view.recent
        recent.append((step, values))
        if len(recent) >= self._batch:
            self.flush()

    def flush(self) -> None:
        """Put what is recent into the buckets."""
        recent = sorted(self._view.recent, key=_step_of)
        if recent:
            self._add_rows(recent)
            self._make_room(recent[-1][0])
            self._put_into_buckets(np.array([step for step, _ in recent], np.int64), cells_of(recent, self.metrics))

    def drop_after(self, step: int) -> None:
        """Forget what was measured after `step`; of the bucket that has this step among others all is kept."""
        self.flush()
        view = self._view
        length, part = divmod(step + 1, view.pyramid.stride)
        if length < view.pyramid.length:
            opened = view.pyramid.cells[:, :, length : length + 1].copy()
            view = replace(view, pyramid=view.pyramid.truncated(length), open=opened)
        if length <= view.pyramid.length and not part:
            view = replace(view, open=empty_cells(len(view.metrics), 1))
        self._view = view

    def forget(self, step: int, metrics: Iterable[str]) -> None:
        """Forget some metrics of one step, which is measured anew; where it shares its bucket, both values count."""
        self.flush()
        view = self._view
        rows = [view.metrics[name] for name in metrics if name in view.metrics]
        if view.pyramid.stride > 1 or step > view.pyramid.length:
            return
        if step == view.pyramid.length:
            opened = view.open.copy()
            opened[rows] = empty_cells(len(rows), 1)
            self._view = replace(view, open=opened)
        else:
            view.pyramid.empty(rows, step)

    def _add_rows(self, recent: Sequence[Measured]) -> None:
        """Give new metrics a row, up to METRICS of them."""
        view = self._view
        new = {name for _, numbers in recent for name in numbers} - view.metrics.keys()
        reserved = NAMED | view.metrics.keys()
        if names := sorted(new & NAMED) + sorted(new - NAMED)[: max(0, METRICS - len(reserved))]:
            metrics = {name: row for row, name in enumerate([*view.metrics, *names])}
            opened = grow(view.open, len(metrics), 1, kept=1)
            self._view = replace(view, pyramid=view.pyramid.with_metrics(len(metrics)), open=opened, metrics=metrics)

    def _make_room(self, last_step: int) -> None:
        """Double the stride until the bucket of a step is one there is room for."""
        while last_step // self._view.pyramid.stride >= self._buckets:
            view = self._view
            opened = view.open
            if view.pyramid.length % 2:
                opened = _joined(view.pyramid.cells[:, :, -1:], opened)
            self._view = replace(view, pyramid=view.pyramid.halved(), open=opened)

    def _put_into_buckets(self, steps: NDArray[np.int64], cells: Cells) -> None:
        """Put measurements, ordered by step, into their buckets, and replace the view, whose `recent` is empty then."""
        view = self._view
        pyramid, opened = view.pyramid, view.open
        buckets = steps // pyramid.stride
        starts = np.flatnonzero(np.diff(buckets, prepend=-1))
        buckets, cells = buckets[starts], combine(cells, starts)
        now = buckets >= pyramid.length
        if not now.all():  # some came late
            pyramid = pyramid.merged(buckets[~now], cells[:, :, ~now])
        if now.any():
            dense = empty_cells(len(cells), int(buckets[-1]) - pyramid.length + 1)
            dense[:, :, buckets[now] - pyramid.length] = cells[:, :, now]
            dense[:, :, :1] = _joined(opened, dense[:, :, :1])
            pyramid, opened = pyramid.appended(dense[:, :, :-1]), dense[:, :, -1:]
        self._view = View(pyramid, opened, view.metrics)


def _joined(cells: Cells, others: Cells) -> Cells:
    """Two stretches as one: all have the shape (metrics, 4, 1)."""
    return combine_equal(np.concatenate((cells, others), axis=-1), 2)


def _step_of(measured: Measured) -> int:
    return measured[0]


def _pieces(view: View, row: int, start: float, end: float, at_most: int) -> list[tuple[Cells, Cells]]:
    """The steps, shape (n,), and cells, shape (4, n), of all buckets that have a step from `start` to `end`."""
    pyramid = view.pyramid
    first, last = max(0, int(start // pyramid.stride)), int(end // pyramid.stride) + 1
    pieces = list(pyramid.pieces(row, min(first, pyramid.length), min(last, pyramid.length), at_most))
    if first <= pyramid.length < last:
        pieces.append((np.array([float(pyramid.length * pyramid.stride)]), view.open[row]))
    return pieces
