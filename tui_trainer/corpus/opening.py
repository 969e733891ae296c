"""What a text likes to begin with: the prompt where the user has given none."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 12
"""Characters of an opening."""

HEAD: Final = 1 << 18
"""Characters of a text that are looked at."""

SENTENCES_A_LINE: Final = 0.2
"""From which a text is prose, whose lines may begin amid a sentence."""

_SENTENCE: Final = re.compile(r"[.!?][\"'”’»]?\s+[\"'“‘«]?([^\W\d_]{2,12})\b")
_LINE: Final = re.compile(r"^([^\W\d_]{2,12})\b(?![-/@])", re.MULTILINE)
_WORDS: Final = re.compile(r".{0,9}?[^\W\d_]{2}\S*")


def opening(head: str) -> str:
    """The word that most sentences begin with, and in code most lines that are not indented; else the first words.

    A line end, which is a prompt for any text, where `head`, the beginning of the text, has no words that can be read.
    """
    sentences, lines = _SENTENCE.findall(head), _LINE.findall(head)
    is_prose = len(sentences) >= SENTENCES_A_LINE * head.count("\n")
    return _commonest(sentences if is_prose else lines) or _first_words(head)


def _commonest(words: Sequence[str]) -> str:
    """That comes more than once; empty where none does."""
    word, times = max(Counter(words).items(), key=lambda item: item[1], default=("", 0))
    return word if times > 1 else ""


def _first_words(head: str) -> str:
    """The beginning of the first line up to the end of its first word of two letters, or its first word if none has.

    What cannot be printed is left out, with bytes that are no UTF-8.
    """
    lines = ("".join(c for c in line if c.isprintable() or c == "\t").strip() for line in head.split("\n"))
    line = next(filter(None, lines), "")
    found = _WORDS.match(line)
    words = found[0] if found else " ".join(line.split(maxsplit=1)[:1])
    return words[:LONGEST].rstrip() or "\n"
