"""The layout of a chart: draws a `Plot` as rows of text of any size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.style import Style
from rich.text import Text

from tui_trainer.history.curve import Curve
from tui_trainer.ui.charts import axes
from tui_trainer.ui.charts.axes import LABEL_WIDTH, Scale
from tui_trainer.ui.charts.rasteriser import Stroke, draw
from tui_trainer.ui.charts.series import clipped, envelope, mean_line, spaced_indexes
from tui_trainer.ui.palette import Palette

DOT_DISTANCE = 7
"""Cells between two dots of a dotted line."""

FLAG = "▲"
"""Marks a step on the step axis; the vitals pane lists what happened there."""

NARROWEST_WITH_LABELS, LOWEST_WITH_STEPS = 24, 5
"""Cells below which a chart is drawn without its value labels or its step axis."""


@dataclass(frozen=True)
class Line:
    """A curve and the name of its colour; a `band` is drawn by its minima and maxima, another line by its means.

    `dotted` puts dots on it, which distinguish it from other lines where they cross, and without colours.
    """

    curve: Curve
    colour: str
    band: bool = False
    dotted: bool = False


@dataclass(frozen=True)
class Rule:
    """A dashed horizontal line at a value, with a label on it."""

    value: float
    label: str
    colour: str = "limit"


@dataclass(frozen=True)
class Mark:
    """One point, drawn as a character."""

    step: float
    value: float
    colour: str
    character: str = "●"


@dataclass(frozen=True)
class Plot:
    """What a chart draws, at any size: steps from `start` to `end`, values from `low` to `high`."""

    start: float
    end: float
    low: float
    high: float
    lines: Sequence[Line] = ()
    rules: Sequence[Rule] = ()
    marks: Sequence[Mark] = ()
    flags: Sequence[float] = ()
    """Steps marked on the step axis."""
    log: bool = False
    step_axis: bool = True


def render(plot: Plot, width: int, height: int, colours: Palette) -> Text:
    """The plot as `height` lines of `width` cells."""
    if width < 1 or height < 1:
        return Text("")
    labelled = width >= NARROWEST_WITH_LABELS
    stepped = labelled and plot.step_axis and height >= LOWEST_WITH_STEPS
    columns, rows = width - (LABEL_WIDTH + 1) * labelled, height - 2 * stepped
    scale = (axes.log_scale if plot.log else axes.linear_scale)(plot.low, plot.high, min(8, max(2, rows // 2)))
    steps = _step_scale(plot, columns)
    strokes = _strokes(plot, scale, columns, colours)
    body = draw(columns, rows, (steps.low, steps.high), (scale.low, scale.high), strokes)
    _draw_rules(body, plot, scale, colours)
    for mark in _marks(plot, columns):
        _draw_mark(body, mark, scale, steps, colours)
    if labelled:
        body = _with_labels(body, scale, colours)
    if stepped:
        body += _step_axis(steps, columns, colours, plot.flags)
    return Text("\n", no_wrap=True, end="").join(body)


def message(text: str, width: int, height: int) -> Text:
    """A sentence in the middle of an empty chart."""
    lines = [text[index : index + max(1, width)] for index in range(0, len(text), max(1, width))][: max(0, height)]
    above = max(0, (height - len(lines)) // 2)
    return Text("\n" * above + "\n".join(line.center(width) for line in lines), no_wrap=True, end="")


def _step_scale(plot: Plot, columns: int) -> Scale:
    end = max(plot.end, plot.start + 1)
    return Scale(plot.start, end, axes.step_ticks(plot.start, end, columns))


def _strokes(plot: Plot, scale: Scale, columns: int, colours: Palette) -> list[Stroke]:
    strokes = []
    for line in plot.lines:
        extent = line.curve, plot.start, plot.end, columns
        for x, y in envelope(*extent) if line.band else [mean_line(*extent)]:
            y = clipped(scale.positions(y), scale.low, scale.high)
            strokes.append(Stroke(np.clip(x, plot.start, plot.end), y, colours[line.colour]))
    return strokes


def _marks(plot: Plot, columns: int) -> list[Mark]:
    """The plot's own marks, and the dots of its dotted lines."""
    distance = (plot.end - plot.start) / columns * DOT_DISTANCE
    dots = [
        Mark(float(line.curve.steps[index]), float(line.curve.mean[index]), line.colour, "•")
        for line in plot.lines
        if line.dotted
        for index in spaced_indexes(line.curve.steps, distance)
    ]
    return [*dots, *plot.marks]


def _draw_mark(body: list[Text], mark: Mark, scale: Scale, steps: Scale, colours: Palette) -> None:
    """Write a mark's character into its cell."""
    row = _row(scale, float(scale.positions(np.array([mark.value]))[0]), len(body))
    column = steps.cell(mark.step, body[0].cell_len, dots=2)
    if row is not None and column is not None:
        plain = body[row].plain
        body[row] = _with_plain(body[row], plain[:column] + mark.character + plain[column + 1 :])
        body[row].stylize(_style(colours[mark.colour]), column, column + 1)


def _draw_rules(body: list[Text], plot: Plot, scale: Scale, colours: Palette) -> None:
    """Draw faint lines at the ticks and dashed ones at the rules, in cells without a curve."""
    for position, _ in scale.ticks:
        if (row := _row(scale, position, len(body))) is not None:
            body[row] = _fill_blanks(body[row], "┈", colours["grid"])
    for rule in plot.rules:
        position = float(scale.positions(np.array([rule.value]))[0])
        if (row := _row(scale, position, len(body))) is not None:
            body[row] = _write_label(_fill_blanks(body[row], "╌", colours[rule.colour]), rule.label)


def _row(scale: Scale, position: float, rows: int) -> int | None:
    cell = scale.cell(position, rows, dots=4) if math.isfinite(position) else None
    return None if cell is None else rows - 1 - cell


def _with_plain(row: Text, plain: str) -> Text:
    """The row with its characters replaced, in the same colours."""
    return Text(plain, spans=list(row.spans), no_wrap=True, end="")


def _fill_blanks(row: Text, character: str, colour: tuple[int, int, int]) -> Text:
    plain = row.plain
    filled = _with_plain(row, plain.replace(" ", character).replace("┈", character))
    free = [index for index, old in enumerate(plain) if old in " ┈"]
    for first, last in _consecutive(free):
        filled.stylize(_style(colour), first, last + 1)
    return filled


def _consecutive(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers, as (first, last)."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _write_label(row: Text, label: str) -> Text:
    """The row with the label near its right end, or the rightmost place where its dashes leave room."""
    room = "╌" * (len(label) + 4)
    found = row.plain.rfind(room)
    if found < 0:
        return row
    start = found + 2
    return _with_plain(row, row.plain[: start - 1] + f" {label} " + row.plain[start + len(label) + 1 :])


def _with_labels(body: list[Text], scale: Scale, colours: Palette) -> list[Text]:
    labels = {_row(scale, position, len(body)): label for position, label in scale.ticks if len(label) <= LABEL_WIDTH}
    style = _style(colours["axis"])
    edges = [f"{labels[row]:>{LABEL_WIDTH}}┤" if row in labels else " " * LABEL_WIDTH + "│" for row in range(len(body))]
    return [Text(edge, style=style) + row for edge, row in zip(edges, body, strict=True)]


def _step_axis(steps: Scale, columns: int, colours: Palette, flags: Sequence[float]) -> list[Text]:
    axis, names = list("─" * columns), [" "] * (columns + LABEL_WIDTH + 1)
    for position, label in steps.ticks:
        column = steps.cell(position, columns, dots=2)
        start = 0 if column is None else column + LABEL_WIDTH + 1 - len(label) // 2
        if column is not None and start + len(label) <= len(names):
            axis[column] = "┬"
            names[start : start + len(label)] = label
    style = _style(colours["axis"])
    line = Text(" " * LABEL_WIDTH + "└", style=style)
    flagged = {steps.cell(step, columns, dots=2) for step in flags}
    for column, character in enumerate(axis):
        line.append(*((FLAG, _style(colours["limit"])) if column in flagged else (character, style)))
    return [line, Text("".join(names), style=style)]


def _style(colour: tuple[int, int, int]) -> Style:
    return Style.parse("rgb({},{},{})".format(*colour))
