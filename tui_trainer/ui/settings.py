"""What the user has chosen for the screen, whichever run it shows; kept in a file of the user's configuration."""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import platformdirs
import tomli_w

from tui_trainer.run.folder import Folder
from tui_trainer.ui.markers import AUTO, MARKERS, marker_for

FILE: Final = "screen.toml"
MAX_BYTES: Final = 65_536
FEW_COLOURS_THEME: Final = "ansi-dark"
"""The default on a terminal of 16 colours, or none."""

PRIVATE: Final = 0o700


@dataclass(frozen=True)
class ScreenSettings:
    """`theme` is empty for the default, `markers` one of MARKERS or AUTO; `low_bandwidth` is not kept."""

    theme: str = ""
    markers: str = AUTO
    low_bandwidth: bool = False


DEFAULT_SETTINGS: Final = ScreenSettings()


def load_settings() -> ScreenSettings:
    """Those of the user's file; the default for whatever cannot be read or makes no sense. Raises nothing."""
    try:
        with Folder.open(_directory()) as folder:
            stored = tomllib.loads(folder.read(FILE, MAX_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        return ScreenSettings()
    theme, markers = stored.get("theme"), stored.get("markers")
    return ScreenSettings(theme if isinstance(theme, str) else "", markers if markers in MARKERS else AUTO)


def remember(*, theme: str | None = None, markers: str | None = None) -> None:
    """Keep what is not None in the user's file, where that can be written."""
    kept = load_settings()
    kept = replace(kept, theme=theme or kept.theme, markers=markers or kept.markers)
    with suppress(OSError):
        _directory().mkdir(PRIVATE, parents=True, exist_ok=True)
        with Folder.open(_directory()) as folder:
            folder.replace_text(FILE, tomli_w.dumps({"theme": kept.theme, "markers": kept.markers}))


def fitted(settings: ScreenSettings, environment: Mapping[str, str]) -> ScreenSettings:
    """With what was left open decided by what the terminal says that it can show."""
    theme = settings.theme or (FEW_COLOURS_THEME if _has_few_colours(environment) else "")
    return replace(settings, theme=theme, markers=marker_for(settings.markers, environment))


def _has_few_colours(environment: Mapping[str, str]) -> bool:
    """Whether Rich would send the terminal no more than 16 colours."""
    if environment.get("TEXTUAL_COLOR_SYSTEM", "auto") != "auto":
        return False
    many = environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    return not many and environment.get("TERM", "").rpartition("-")[2] not in ("256color", "kitty")


def _directory() -> Path:
    return platformdirs.user_config_path("tui-trainer", appauthor=False)
