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
_LINE: Final = re.compile(r"^([^\W\d_]{2,12})\b", re.MULTILINE)


def opening(head: str) -> str:
    """The word that most sentences begin with, and in code most lines that are not indented; else the first word.

    A line end, which is a prompt for any text, where `head`, the beginning of the text, has no word.
    """
    sentences, lines = _SENTENCE.findall(head), _LINE.findall(head)
    is_prose = len(sentences) >= SENTENCES_A_LINE * head.count("\n")
    return _commonest(sentences if is_prose else lines) or _first_word(head)


def _commonest(words: Sequence[str]) -> str:
    """That comes more than once; empty where none does."""
    word, times = max(Counter(words).items(), key=lambda item: item[1], default=("", 0))
    return word if times > 1 else ""


def _first_word(head: str) -> str:
    # Bytes that are no UTF-8 are left out of the prompt.
    words = head.encode("utf-8", "surrogateescape").decode("utf-8", "ignore").split(maxsplit=1)
    return words[0][:LONGEST] if words else "\n"
