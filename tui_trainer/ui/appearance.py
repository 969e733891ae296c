"""The part of the app that its looks depend on: themes, colours at all, and ASCII for terminals without Unicode."""

import os
from collections.abc import Sequence
from typing import Final

from textual.app import App
from textual.filter import LineFilter

from tui_trainer.ui.ascii import AsciiFilter
from tui_trainer.ui.markers import ASCII, AUTO, BRAILLE
from tui_trainer.ui.output.driver import DiffDriver
from tui_trainer.ui.screens.theme import ThemeScreen
from tui_trainer.ui.settings import ScreenSettings, remember
from tui_trainer.ui.themes import OKABE_ITO

THEME_VARIABLE: Final = "TEXTUAL_THEME"
ANIMATIONS_VARIABLE: Final = "TEXTUAL_ANIMATIONS"


class Appearance(App[None]):
    def __init__(self, settings: ScreenSettings) -> None:
        # Without colours, widgets are to be styled as they are for sixteen: by reversing them, not by backgrounds.
        super().__init__(driver_class=DiffDriver, ansi_color=True if "NO_COLOR" in os.environ else None)
        for theme in OKABE_ITO:
            self.register_theme(theme)
        self._settings = settings
        self._ascii = AsciiFilter(enabled=self.first_marker == ASCII)
        if ANIMATIONS_VARIABLE not in os.environ:
            self.animation_level = "none"

    def on_load(self) -> None:
        if THEME_VARIABLE not in os.environ and self._settings.theme in self.available_themes:
            self.theme = self._settings.theme

    @property
    def first_marker(self) -> str:
        """What charts are drawn with at the start."""
        return BRAILLE if self._settings.markers == AUTO else self._settings.markers

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *[self._ascii] * self._ascii.enabled]

    def use_ascii(self, use: bool) -> None:
        """Show everything in ASCII, or no more."""
        if use != self._ascii.enabled:
            self._ascii.enabled = use
            for screen in self.screen_stack:
                for widget in screen.walk_children(with_self=True):
                    widget.refresh()

    def action_change_theme(self) -> None:
        self.push_screen(ThemeScreen(self.theme), self._use_theme)

    def _use_theme(self, theme: str | None) -> None:
        if theme is not None:
            remember(theme=theme)
