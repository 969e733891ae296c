"""Shows a screen in ASCII alone, for terminals that have nothing else; every line keeps its width."""

import unicodedata
from functools import lru_cache
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui_trainer.ui.graphemes import graphemes

UNKNOWN: Final = "?"

_SIMILAR: Final = {
    **dict.fromkeys("─╌–—▀▔", "-"),
    **dict.fromkeys("━╸", "="),
    **dict.fromkeys("│┃┤▎▊▌▐", "|"),
    **dict.fromkeys("├┬┴┼┌┐└┘╭╮╰╯┏┓┗┛", "+"),
    **dict.fromkeys("▁▂▃▄", "_"),
    **dict.fromkeys("▅▆▇", "#"),
    **dict.fromkeys("┈·…", "."),
    **dict.fromkeys("▲△↑␛", "^"),
    **dict.fromkeys("▼▽↓", "v"),
    **dict.fromkeys("▸▶❯→", ">"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’", "'"),
    **{"█": "#", "•": "o", "●": "@", "✓": "*", "×": "x", "±": "~", "←": "<", "⏎": "/"},
}
"""By character: the one to show instead, which is as narrow."""


class AsciiFilter(LineFilter):
    """Applied by Textual to every line of every widget."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(ascii_text(segment.text), segment.style, segment.control)
            for segment in segments
        ]


@lru_cache(4096)
def ascii_text(text: str) -> str:
    """The text with similar characters or question marks for those that ASCII lacks, as many cells wide."""
    return "".join(grapheme if grapheme.isascii() else _similar(grapheme, width) for grapheme, width in graphemes(text))


def _similar(grapheme: str, width: int) -> str:
    if grapheme in _SIMILAR:
        return _SIMILAR[grapheme]
    letter = unicodedata.normalize("NFKD", grapheme)[:1]  # without its accents
    return letter if width == 1 and letter.isascii() and letter.isprintable() else UNKNOWN * width
