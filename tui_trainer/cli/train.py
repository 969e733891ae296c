"""The commands that train: train and resume."""

from pathlib import Path
from typing import Any

import click

from tui_trainer.cli.control import resume_live, waiting_options
from tui_trainer.cli.options import headless_option, run_argument, screen_options
from tui_trainer.cli.settings import SectionedCommand, config_options
from tui_trainer.config import Config, InputError
from tui_trainer.launch.train import train as train_session
from tui_trainer.run.directory import runs_root
from tui_trainer.run.lock import is_locked
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.choosing import find_run_to_resume
from tui_trainer.ui.settings import ScreenSettings


@click.command(cls=SectionedCommand, short_help="Train a new model on a corpus.")
@click.argument("corpus", nargs=-1)
@config_options
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Settings in TOML, under [data], [model] and so on; options given here win.",
)
@screen_options
@headless_option
def train(
    corpus: tuple[str, ...], config_file: Path | None, headless: bool, screen: ScreenSettings, **asked: Any
) -> int:
    """Train a new model on CORPUS: text files, directories, glob patterns, or - for standard input."""
    config = Config.from_toml(config_file) if config_file else Config()
    config = config.update(**{name: value for name, value in asked.items() if value is not None})
    if corpus:
        config = config.update(corpus=corpus)
    from tui_trainer.training.local import LocalSession

    return train_session(LocalSession(config), headless, screen)


@click.command(short_help="Go on with a run.")
@run_argument
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Steps the run is to have in all.")
@click.option(
    "--again", is_flag=True, help="Train a run that has come to its end for as many steps more as were planned."
)
@waiting_options
@screen_options
@headless_option
def resume(
    run: str,
    steps: int | None,
    again: bool,
    runs_dir: str,
    timeout: float,
    as_json: bool,
    headless: bool,
    screen: ScreenSettings,
) -> int:
    """Go on with RUN (a name or a path; the latest when left out) from its newest checkpoint to its end.

    A run that has come to its end opens with its last and its best model, and trains on only with --again or a larger
    --steps.

    A live run that is paused goes on in the process that trains it; --timeout and --json are for that.
    """
    if steps and again:
        raise InputError("--steps and --again both say how long the run is to be: give one of them.")
    directory = find_run_to_resume(run, runs_root(runs_dir))
    if is_locked(directory):
        if steps or again:
            name = visible_line(directory.name)
            raise InputError(f"The run {name} is being trained, so its length is fixed: stop it first.")
        return resume_live(directory, timeout, as_json)
    from tui_trainer.training.local import LocalSession

    return train_session(LocalSession.resume(directory, steps, again), headless, screen)
