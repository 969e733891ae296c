"""Text as a terminal draws it: what makes up one character, how many cells that takes, and whether all agree on it."""

import re
from typing import Final

from rich.cells import split_graphemes

PLAIN_TEXT: Final = re.compile("[ -\u02ff\u2010-\u2027\u2190-\u2311\u2400-\u2426\u2500-\u25fc\u2800-\u28ff]*")
"""Characters of one cell each: Latin letters, lines, blocks, braille dots, and signs that are not shown as emoji."""

UNDISPUTED: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]")
"""Those that take two wherever they are known: kana, Chinese characters, Hangul syllables and full-width forms."""


def graphemes(text: str) -> list[tuple[str, int]]:
    """Each with its width in cells, as the application reckons it; only the first can have none."""
    if PLAIN_TEXT.fullmatch(text):
        return [(character, 1) for character in text]
    return [(text[start:end], width) for start, end, width in split_graphemes(text)[0]]


def is_disputed(grapheme: str) -> bool:
    """Whether terminals give it different widths, as they do to emoji, marks that join, and Indian scripts."""
    return not (PLAIN_TEXT.fullmatch(grapheme) or UNDISPUTED.fullmatch(grapheme))
