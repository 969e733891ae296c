"""What characters the lines of charts are made of, and which of them a terminal can show."""

import re
from collections.abc import Mapping
from typing import Final

AUTO, BRAILLE, BLOCK, ASCII = "auto", "braille", "block", "ascii"
MARKERS: Final = (BRAILLE, BLOCK, ASCII)

LOCALE_VARIABLES: Final = ("LC_ALL", "LC_CTYPE", "LANG")
"""The first of them that is set says in which encoding the terminal is written to."""

UNABLE: Final = re.compile(r"linux|dumb|cons|vt\d|ansi", re.IGNORECASE)
"""The beginning of TERM on terminals whose fonts lack such characters."""


def marker_for(asked: str, environment: Mapping[str, str]) -> str:
    """One of MARKERS: that which is asked for, or, for AUTO, the finest that the terminal can show.

    Without any variable of a locale, as in many containers, the terminal is taken to show Unicode.
    """
    if asked in MARKERS:
        return asked
    locale = next((value for name in LOCALE_VARIABLES if (value := environment.get(name))), "utf-8")
    unicode = "utf8" in locale.lower().replace("-", "")
    return BRAILLE if unicode and not UNABLE.match(environment.get("TERM", "")) else ASCII
