"""Draws lines on a canvas with plotext, which only this module uses.

plotext keeps its figure in global state, so only the thread that draws the screen may call this.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tui_trainer.history.curve import Values
from tui_trainer.ui.charts.canvas import Canvas
from tui_trainer.ui.palette import Rgb

Limits = tuple[float, float]

BRAILLE, BLOCK, ASCII = "braille", "block", "ascii"

MARKERS: Final = {BRAILLE: "braille", BLOCK: "hd", ASCII: "*"}
"""plotext's names of the characters that lines are made of: of eight dots, four quarters, or a whole cell."""

_ESCAPE: Final = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b]+)")


@dataclass(frozen=True)
class Stroke:
    """Points in axis units, joined by a line."""

    x: Values
    y: Values
    colour: Rgb


def draw(width: int, height: int, x: Limits, y: Limits, strokes: Sequence[Stroke], marker: str = BRAILLE) -> Canvas:
    """A canvas with lines, of which later ones cover earlier ones. Points must lie within the limits."""
    import plotext

    canvas = Canvas(width, height)
    drawn = [stroke for stroke in strokes if np.isfinite(stroke.y).any()]
    if not drawn:
        return canvas
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    _hide_decoration(plotext)
    plotext.xlim(*x)
    plotext.ylim(*y)
    for stroke in drawn:
        plotext.plot(stroke.x.tolist(), stroke.y.tolist(), marker=MARKERS[marker], color=stroke.colour)
    for row, line in enumerate(plotext.build().split("\n")[:height]):
        _write(canvas, row, line)
    return canvas


def _write(canvas: Canvas, row: int, line: str) -> None:
    """Write a line with plotext's escape sequences, each a colour in red, green and blue, or the end of one."""
    column, colour = 0, None
    for escape, text in _ESCAPE.findall(line):
        if text:
            canvas.write(row, column, text, colour)
            column += len(text)
        else:
            numbers = escape.split(";")
            colour = (int(numbers[2]), int(numbers[3]), int(numbers[4])) if len(numbers) == 5 else None


def _hide_decoration(plotext: Any) -> None:
    """Turn plotext's own axes off."""
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.canvas_color("default")
    plotext.axes_color("default")
    plotext.xticks([])
    plotext.yticks([])
