"""Styles of charts: in every theme, and without colours."""

import pytest
from rich.style import Style
from textual.theme import BUILTIN_THEMES

from tui_trainer.ui.charts.canvas import Canvas
from tui_trainer.ui.palette import ANSI, MIXES, palette


@pytest.mark.parametrize("name", BUILTIN_THEMES)
def test_every_theme_has_every_style(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    styles = palette(theme.to_color_system().generate(), theme.dark, theme.ansi)
    assert styles.keys() == MIXES.keys() == ANSI.keys()
    assert all(style.color is not None and style.bgcolor is not None for style in styles.values())


def test_without_colours_the_lines_of_the_loss_still_differ() -> None:
    attributes = {name: (style.bold, style.dim) for name, style in palette({}, dark=True, ansi=True).items()}
    assert len({attributes[name] for name in ("raw", "bright", "second")}) == 3


def test_a_canvas_takes_its_styles_from_the_palette() -> None:
    canvas = Canvas(5, 1)
    canvas.write(0, 1, "ab", "raw")
    (strip,) = canvas.strips({"background": Style(bgcolor="red"), "raw": Style(bold=True)})
    assert [(text, style) for text, style, _ in strip] == [
        (" ", Style(bgcolor="red")),
        ("ab", Style(bold=True)),
        ("  ", Style(bgcolor="red")),
    ]
