"""The layout of a chart: draws a `Plot` as rows of cells of any size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tui_trainer.ui.charts import axes
from tui_trainer.ui.charts.axes import LABEL_WIDTH, Scale
from tui_trainer.ui.charts.canvas import BLANK, Canvas
from tui_trainer.ui.charts.cut_off import mark_cut_off
from tui_trainer.ui.charts.plot import Flag, Line, Plot, Point
from tui_trainer.ui.charts.rasteriser import Stroke, draw
from tui_trainer.ui.charts.series import clipped, envelope, mean_line, spaced_indexes, within
from tui_trainer.ui.charts.step_axis import StepAxis

DOT_DISTANCE = 7
"""Cells between two dots of a dotted line."""

DOT, SINGLE_DOT = "•", "●"
"""On a line, and where there is none."""

NARROWEST_WITH_LABELS, LOWEST_WITH_STEPS = 24, 5
"""Cells below which a chart is drawn without its value labels or its step axis."""

GRID, DASH, CURSOR = "┈", "╌", "│"


@dataclass(frozen=True)
class Frame:
    """The scales of a chart of so many columns and rows."""

    columns: int
    rows: int
    steps: StepAxis
    values: Scale

    def column(self, step: float) -> int | None:
        return self.steps.column(step, self.columns)

    def row(self, value: float) -> int | None:
        """None for a value outside the limits."""
        return self.row_at(float(self.values.positions(np.array([value]))[0]))

    def row_at(self, position: float) -> int | None:
        cell = self.values.cell(position, self.rows, dots=4) if math.isfinite(position) else None
        return None if cell is None else self.rows - 1 - cell


@dataclass(frozen=True)
class Drawing:
    canvas: Canvas
    frame: Frame | None = None
    """None where nothing but a message is drawn."""
    letters: frozenset[str] = frozenset()
    """Of the flags that can be seen."""

    def with_cursor(self, step: float | None) -> Canvas:
        """The canvas with a line at a step, through cells without a curve."""
        if step is None or self.frame is None or (column := self.frame.column(step)) is None:
            return self.canvas
        canvas, column = self.canvas.copy(), column + self.canvas.width - self.frame.columns
        for row in range(self.frame.rows):
            if canvas.is_free(row, column, column + 1, of=BLANK + GRID + DASH):
                canvas.write(row, column, CURSOR, "cursor")
        return canvas

    def step_at(self, column: int) -> float | None:
        """The step in the middle of a column of the canvas, if there is one."""
        if self.frame is None or column < self.canvas.width - self.frame.columns:
            return None
        return self.frame.steps.step_at((column - self.canvas.width + self.frame.columns + 0.5) / self.frame.columns)


def render(plot: Plot, width: int, height: int) -> Drawing:
    """The plot on a canvas of `height` rows of `width` cells."""
    if width < 1 or height < 1:
        return Drawing(Canvas(max(0, width), max(0, height)))
    labelled = width >= NARROWEST_WITH_LABELS
    stepped = labelled and plot.step_axis and height >= LOWEST_WITH_STEPS
    columns, rows = width - (LABEL_WIDTH + 1) * labelled, height - 2 * stepped
    scale = (axes.log_scale if plot.log else axes.linear_scale)(plot.low, plot.high, min(8, max(2, rows // 2)))
    frame = Frame(columns, rows, StepAxis.of(plot, columns), scale)
    canvas = Canvas(width, height)
    canvas.place(0, width - columns, _body(plot, frame))
    if labelled:
        _label_values(canvas, frame)
    if stepped:
        _draw_step_axis(canvas, plot, frame)
    flags = _seen_flags(plot, frame) if stepped else {}
    for column, flag in flags.items():
        canvas.write(rows, width - columns + column, flag.letter, flag.style)
    return Drawing(canvas, frame, frozenset(flag.letter for flag in flags.values()))


def message(text: str, width: int, height: int) -> Drawing:
    """A sentence in the middle of an empty chart."""
    canvas = Canvas(max(0, width), max(0, height))
    lines = [text[index : index + max(1, width)] for index in range(0, len(text), max(1, width))][: canvas.height]
    for row, line in enumerate(lines, (canvas.height - len(lines)) // 2):
        canvas.write(row, 0, line.center(width), "axis")
    return Drawing(canvas)


def _body(plot: Plot, frame: Frame) -> Canvas:
    """What lies between the axes."""
    lines = [replace(line, curve=frame.steps.placed(line.curve)) for line in plot.lines]
    strokes = [stroke for line in lines if line.joined for stroke in _strokes(line, frame)]
    extent, values = frame.steps.scale, frame.values
    limits = (extent.low, extent.high), (values.low, values.high)
    body = draw(frame.columns, frame.rows, *limits, strokes, plot.marker)
    for position, _ in values.ticks:
        if (row := frame.row_at(position)) is not None:
            body.fill(row, GRID, "grid")
    _draw_rules(body, plot, frame)
    _draw_points(body, [*_dots(plot.lines, frame), *plot.points], frame)
    mark_cut_off(body, [line.curve for line in lines if line.whole], extent, values, "note")
    return body


def _strokes(line: Line, frame: Frame) -> list[Stroke]:
    extent, values, strokes = frame.steps.scale, frame.values, []
    extents = line.curve, extent.low, extent.high, frame.columns
    for points in envelope(*extents) if line.band else [mean_line(*extents)]:
        x, y = within(*points, extent.low, extent.high)
        y = clipped(values.positions(y), values.low, values.high)
        strokes.append(Stroke(x, y, line.style))
    return strokes


def _dots(lines: Sequence[Line], frame: Frame) -> list[Point]:
    """Those of the dotted lines."""
    extent = frame.steps.scale
    cell = (extent.high - extent.low) / frame.columns
    return [
        Point(float(line.curve.steps[at]), float(line.curve.mean[at]), line.style, DOT if line.joined else SINGLE_DOT)
        for line in lines
        if line.dotted
        for at in spaced_indexes(frame.steps.at(line.curve.steps), cell * DOT_DISTANCE if line.joined else cell)
    ]


def _draw_points(body: Canvas, points: Sequence[Point], frame: Frame) -> None:
    for point in points:
        row, column = frame.row(point.value), frame.column(point.step)
        if row is not None and column is not None:
            body.write(row, column, point.character, point.style)


def _draw_rules(body: Canvas, plot: Plot, frame: Frame) -> None:
    """Dashed lines in cells without a curve, their labels near the right end, or wherever the dashes leave room."""
    for rule in plot.rules:
        if (row := frame.row(rule.value)) is None:
            continue
        style, room = rule.style, len(rule.label) + 4
        body.fill(row, DASH, style, over=BLANK + GRID)
        free = (at for at in range(body.width - room, -1, -1) if body.is_free(row, at, at + room, of=DASH))
        if (start := next(free, None)) is not None:
            body.write(row, start + 1, f" {rule.label} ", style)


def _label_values(canvas: Canvas, frame: Frame) -> None:
    ticks = [(frame.row_at(position), label) for position, label in frame.values.ticks if len(label) <= LABEL_WIDTH]
    labels = dict(ticks)
    for row in range(frame.rows):
        edge = f"{labels[row]:>{LABEL_WIDTH}}┤" if row in labels else " " * LABEL_WIDTH + "│"
        canvas.write(row, 0, edge, "axis")


def _draw_step_axis(canvas: Canvas, plot: Plot, frame: Frame) -> None:
    """A line, and under it the labels, of which none is cut."""
    left, row, style = canvas.width - frame.columns, frame.rows, "axis"
    canvas.write(row, left - 1, "└" + "─" * frame.columns, style)
    for position, label in frame.steps.scale.ticks:
        column = frame.steps.scale.cell(position, frame.columns, dots=2)
        start = 0 if column is None else column + left - len(label) // 2
        if column is not None and start + len(label) <= canvas.width:
            canvas.write(row, column + left, "┬", style)
            canvas.write(row + 1, start, label, style)


def _seen_flags(plot: Plot, frame: Frame) -> dict[int, Flag]:
    """By column, the flag of the highest priority."""
    flags = sorted(plot.flags, key=_priority)
    return {column: flag for flag in flags if (column := frame.column(flag.step)) is not None}


def _priority(flag: Flag) -> int:
    return flag.priority
