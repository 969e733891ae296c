"""The themes to choose from, and those of our own."""

from collections.abc import Iterable
from typing import Final

from textual.theme import Theme

OKABE_ITO: Final = (
    Theme(
        name="okabe-ito",
        primary="#56B4E9",
        secondary="#0072B2",
        warning="#E69F00",
        error="#D55E00",
        success="#009E73",
        accent="#F0E442",
        foreground="#e8e8e8",
        background="#101010",
        surface="#1c1c1c",
        panel="#262626",
    ),
    Theme(
        name="okabe-ito-light",
        primary="#0072B2",
        secondary="#56B4E9",
        warning="#B87F00",
        error="#D55E00",
        success="#009E73",
        accent="#CC79A7",
        foreground="#1a1a1a",
        background="#f4f4f4",
        surface="#e8e8e8",
        panel="#dcdcdc",
        dark=False,
    ),
)
"""Colours that are told apart with any kind of colour vision: Okabe and Ito, Color Universal Design, 2008."""

FIRST: Final = {
    "textual-dark": "dark",
    "textual-light": "light",
    "okabe-ito": "for any colour vision, dark",
    "okabe-ito-light": "for any colour vision, light",
    "ansi-dark": "the terminal's 16, dark",
    "ansi-light": "the terminal's 16, light",
}
"""The themes that are listed first, and what they are."""


def ordered(available: Iterable[str]) -> list[str]:
    """Those of FIRST, then the others by name; without Textual's theme for its inline mode, a second ansi-dark."""
    others = set(available) - FIRST.keys() - {"textual-ansi"}
    return [*FIRST, *sorted(others)]
