"""Arguments and options that several commands take."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from tui_trainer.ui.markers import AUTO, MARKERS
from tui_trainer.ui.settings import fitted, load_settings

run_argument = click.argument("run", default="")
runs_dir_option = click.option("--runs-dir", default="", help="Where runs are kept.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line.")
headless_option = click.option("--headless", is_flag=True, help="Print lines instead of opening a screen.")


def screen_options(command: Callable[..., int]) -> Callable[..., int]:
    """Decorator: the options of a command that opens a screen, which it gets as `screen`, a ScreenSettings."""

    @wraps(command)
    def with_screen(*args: Any, markers: str | None, low_bandwidth: bool, **options: Any) -> int:
        settings = load_settings()
        settings = replace(settings, markers=markers or settings.markers, low_bandwidth=low_bandwidth)
        return command(*args, screen=fitted(settings, os.environ), **options)

    low = click.option("--low-bandwidth", is_flag=True, help="Draw more seldom, for a slow link.")
    markers = click.option(
        "--markers",
        type=click.Choice((AUTO, *MARKERS)),
        help="What charts are drawn in; with ascii everything is.  [default: as chosen last]",
    )
    return markers(low(with_screen))
