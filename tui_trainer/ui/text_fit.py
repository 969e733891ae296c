"""Fits a row of parts into a width by dropping the least important; no part is truncated."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.cells import cell_len
from textual.content import Content

from tui_trainer.run.text import visible_line
from tui_trainer.ui.graphemes import graphemes


@dataclass(frozen=True)
class Part:
    """A piece of a row that is shown whole or not at all; the lowest `priority` is dropped first."""

    content: Content
    priority: int = 0


def part(text: str, style: str = "", priority: int = 0) -> Part:
    return Part(Content.styled(text, style), priority)


def row_width(parts: Sequence[Part], gap: int = 2) -> int:
    return sum(part.content.cell_length for part in parts) + gap * max(0, len(parts) - 1)


def fit(parts: Sequence[Part], width: int, gap: int = 2) -> list[Part]:
    """The most important of `parts`, in their order, that fit `width` cells; of equals the rightmost is dropped.

    One that is too wide leaves its room to those that are less important.
    """
    kept: list[int] = []
    for index in sorted(range(len(parts)), key=lambda index: -parts[index].priority):
        if row_width([parts[each] for each in (*kept, index)], gap) <= width:
            kept.append(index)
    return [parts[index] for index in sorted(kept)]


def join(parts: Sequence[Part], gap: int = 2) -> Content:
    return Content(" " * gap).join([part.content for part in parts])


def shorten(text: str, width: int) -> str:
    """A name from outside on one line, its end replaced by an ellipsis when it takes more than `width` cells."""
    line = visible_line(text)
    if cell_len(line) <= width:
        return line
    ends = accumulate(cells for _, cells in graphemes(line))
    return "".join(grapheme for (grapheme, _), end in zip(graphemes(line), ends, strict=True) if end < width) + "…"


def bar(fraction: float, width: int, style: str = "$primary") -> Content:
    """A progress bar of `width` cells."""
    halves = round(min(1.0, max(0.0, fraction)) * width * 2)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return Content.assemble((done, style), ("─" * (width - len(done)), "$foreground 30%"))
