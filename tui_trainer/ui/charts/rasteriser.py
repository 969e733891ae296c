"""Draws lines as coloured rows of braille with plotext, which only this module uses.

plotext keeps its figure in global state, so only the thread that draws the screen may call this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.text import Text

from tui_trainer.history.curve import Values

Limits = tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """Points in axis units, joined by a line."""

    x: Values
    y: Values
    colour: tuple[int, int, int]


def draw(width: int, height: int, x: Limits, y: Limits, strokes: Sequence[Stroke]) -> list[Text]:
    """`height` rows of `width` cells; later strokes cover earlier ones. Points must lie within the limits."""
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    _hide_decoration(plotext)
    plotext.xlim(*x)
    plotext.ylim(*y)
    drawn = [stroke for stroke in strokes if np.isfinite(stroke.y).any()]
    if not drawn:
        return [Text(" " * width) for _ in range(height)]
    for stroke in drawn:
        plotext.plot(stroke.x.tolist(), stroke.y.tolist(), marker="braille", color=stroke.colour)
    text = Text.from_ansi(plotext.build().rstrip("\n"), no_wrap=True, end="")
    return list(text.split("\n", allow_blank=True))


def _hide_decoration(plotext: Any) -> None:
    """Turn plotext's own axes off."""
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.canvas_color("default")
    plotext.axes_color("default")
    plotext.xticks([])
    plotext.yticks([])
