"""Rows of cells, each with a character and the name of a style, that a chart is drawn on."""

from collections.abc import Iterable
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_trainer.ui.palette import Palette

BLANK = " "

BACKGROUND = "background"
"""The style of cells that nothing is written on."""


class Canvas:
    """Row 0 is the top. Every character takes one cell."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.characters = [[BLANK] * width for _ in range(height)]
        self.styles: list[list[str]] = [[""] * width for _ in range(height)]

    def write(self, row: int, column: int, text: str, style: str) -> None:
        """Write over what is there; what lies outside is left out."""
        if not 0 <= row < self.height:
            return
        for at, character in enumerate(text, column):
            if 0 <= at < self.width:
                self.characters[row][at], self.styles[row][at] = character, style

    def fill(self, row: int, character: str, style: str, over: str = BLANK) -> None:
        """Write a character into every cell of a row that has one of `over`."""
        for column, old in enumerate(self.characters[row]):
            if old in over:
                self.write(row, column, character, style)

    def place(self, row: int, column: int, part: "Canvas") -> None:
        """Copy another canvas to where its top left cell is to be."""
        for number, (characters, styles) in enumerate(zip(part.characters, part.styles, strict=True), row):
            self.characters[number][column : column + part.width] = characters
            self.styles[number][column : column + part.width] = styles

    def is_free(self, row: int, first: int, last: int, of: str = BLANK) -> bool:
        """Whether the cells from `first` to before `last` are in the row, and have characters of `of` alone."""
        return 0 <= first <= last <= self.width and all(each in of for each in self.characters[row][first:last])

    def copy(self) -> "Canvas":
        copied = Canvas(self.width, self.height)
        copied.place(0, 0, self)
        return copied

    @property
    def plain(self) -> list[str]:
        return ["".join(row) for row in self.characters]

    def strips(self, palette: Palette) -> list[Strip]:
        rows = zip(self.characters, self.styles, strict=True)
        return [Strip(_segments(*row, palette), self.width) for row in rows]


def _segments(characters: list[str], styles: list[str], palette: Palette) -> Iterable[Segment]:
    for name, cells in groupby(zip(styles, characters, strict=True), key=lambda cell: cell[0]):
        yield Segment("".join(character for _, character in cells), palette[name or BACKGROUND])


def changed_cells(before: Strip, after: Strip) -> tuple[int, int] | None:
    """The first cell that differs between two rows, and that after the last; None where they are the same."""
    old, new = _cells(before), _cells(after)
    if old == new:
        return None
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    same = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    return first, max(len(old), len(new)) - same


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(character, segment.style) for segment in strip for character in segment.text]
