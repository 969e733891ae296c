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
from tui_trainer.ui.markers import ASCII, BLOCK, BRAILLE

Limits = tuple[float, float]

CHARACTERS: Final = {BRAILLE: "braille", BLOCK: "hd", ASCII: "*"}
"""plotext's names of the characters that lines are made of: of eight dots, four quarters, or a whole cell."""

ASCII_CHARACTERS: Final = {"raw": ":", "second": "o", "second-dim": ",", "third": "+", "future": "."}
"""Characters of lines of other styles, as whole cells are too coarse to tell lines apart by their course."""

_ESCAPE: Final = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b]+)")


@dataclass(frozen=True)
class Stroke:
    """Points in axis units, joined by a line."""

    x: Values
    y: Values
    style: str


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
    for number, stroke in enumerate(drawn):
        character = ASCII_CHARACTERS.get(stroke.style, CHARACTERS[marker]) if marker == ASCII else CHARACTERS[marker]
        plotext.plot(stroke.x.tolist(), stroke.y.tolist(), marker=character, color=(number, 0, 0))
    for row, line in enumerate(plotext.build().split("\n")[:height]):
        _write(canvas, row, line, drawn)
    return canvas


def _write(canvas: Canvas, row: int, line: str, strokes: Sequence[Stroke]) -> None:
    """Write a line with plotext's escape sequences, each a colour whose red is a stroke's number, or the end of one."""
    column, style = 0, ""
    for escape, text in _ESCAPE.findall(line):
        if text:
            canvas.write(row, column, text, style)
            column += len(text)
        else:
            numbers = escape.split(";")
            style = strokes[int(numbers[2])].style if len(numbers) == 5 else ""


def _hide_decoration(plotext: Any) -> None:
    """Turn plotext's own axes off."""
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.canvas_color("default")
    plotext.axes_color("default")
    plotext.xticks([])
    plotext.yticks([])
