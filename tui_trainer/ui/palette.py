"""Styles of charts by name: colours mixed from those of the current theme, or the terminal's own sixteen."""

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color

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
"""For each style its theme variable, and the share (0 to 1) of it that is mixed into the background."""

ATTRIBUTES: Mapping[str, str] = {"bright": "bold", "here": "bold"}
"""What is added to the colours, so that they are not all that distinguishes two lines."""

ANSI: Mapping[str, str] = {
    "axis": "default",
    "grid": "dim default",
    "note": "default",
    "cursor": "default",
    "background": "default",
    "raw": "dim blue",
    "bright": "bold bright_blue",
    "second": "yellow",
    "second-dim": "dim yellow",
    "third": "green",
    "limit": "red",
    "future": "dim default",
    "here": "bold default",
}
"""The styles for a theme of the terminal's own colours, which cannot be mixed."""

Palette = Mapping[str, Style]


def palette(variables: Mapping[str, str], dark: bool, ansi: bool = False) -> Palette:
    if ansi:
        return {name: Style.parse(f"{style} on default") for name, style in ANSI.items()}
    background = Color.parse(variables["background"])
    colours = {name: background.blend(Color.parse(variables[source]), share) for name, (source, share) in MIXES.items()}
    if not dark:
        colours["bright"] = Color.parse(variables["primary"])
    behind = Style(bgcolor=background.rich_color)
    return {
        name: behind + Style(color=colour.rich_color) + Style.parse(ATTRIBUTES.get(name, ""))
        for name, colour in colours.items()
    }
