"""Colours of charts, mixed from those of the current theme."""

from collections.abc import Mapping

from textual.color import Color

Rgb = tuple[int, int, int]

MIXES: Mapping[str, tuple[str, float]] = {
    "axis": ("foreground", 0.5),
    "grid": ("foreground", 0.18),
    "note": ("foreground", 0.8),
    "cursor": ("foreground", 0.6),
    "background": ("background", 1.0),
    "raw": ("primary", 0.6),
    "bright": ("primary-lighten-2", 1.0),
    "second": ("warning", 1.0),
    "second-dim": ("warning", 0.45),
    "third": ("success", 1.0),
    "limit": ("error", 0.9),
    "future": ("foreground", 0.3),
    "here": ("foreground", 1.0),
}
"""For each colour its theme variable, and the share (0 to 1) of it that is mixed into the background."""

Palette = Mapping[str, Rgb]


def palette(variables: Mapping[str, str], dark: bool) -> Palette:
    background = Color.parse(variables["background"])
    colours = {name: background.blend(Color.parse(variables[source]), share) for name, (source, share) in MIXES.items()}
    if not dark:
        colours["bright"] = Color.parse(variables["primary"])
    return {name: (colour.r, colour.g, colour.b) for name, colour in colours.items()}
