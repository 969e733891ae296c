"""The commands that show runs: attach, replay, status, runs."""

import sys

import click

from tui_trainer.cli.options import json_option, run_argument, runs_dir_option, screen_options
from tui_trainer.launch.view import view
from tui_trainer.run.directory import RunDirectory, runs_root
from tui_trainer.run.finding import find_run
from tui_trainer.run.lock import is_locked
from tui_trainer.run.text import visible_line
from tui_trainer.ui.settings import ScreenSettings


@click.command(short_help="Look at a live run, and steer it.")
@run_argument
@screen_options
@runs_dir_option
def attach(run: str, runs_dir: str, screen: ScreenSettings) -> int:
    """Open the screen of RUN, which another process trains; leaving it lets the run go on.

    RUN is a name or a path; the live one that changed last when left out.
    """
    from tui_trainer.sessions.attached import AttachedSession

    directory = find_run(run, runs_root(runs_dir), is_locked)
    return view(AttachedSession(directory), directory.name, screen)


@click.command(short_help="Look at a run that nobody trains.")
@run_argument
@click.option("--at-end", is_flag=True, help="Show the run as it ended instead of playing it.")
@screen_options
@runs_dir_option
def replay(run: str, at_end: bool, runs_dir: str, screen: ScreenSettings) -> int:
    """Play RUN on the screen from its first step on, as its journal tells it.

    RUN is a name or a path; the one that changed last, of those that nobody trains, when left out.
    """
    from tui_trainer.sessions.replay import Publish, ReplaySession
    from tui_trainer.sessions.requests import Answer

    def load(directory: RunDirectory, publish: Publish) -> Answer:
        from tui_trainer.training.recorded import load_answerer

        return load_answerer(directory, publish)

    directory = find_run(run, runs_root(runs_dir), lambda each: each.journal.is_file() and not is_locked(each))
    return view(ReplaySession(directory, load, played=not at_end), directory.name, screen)


@click.command(short_help="Tell how a run is doing, in a line.")
@run_argument
@runs_dir_option
@json_option
def status(run: str, runs_dir: str, as_json: bool) -> int:
    """Print one line about RUN: its state, step, losses and time left."""
    from tui_trainer.sessions.overview import overview

    found = overview(find_run(run, runs_root(runs_dir), lambda each: True))
    print(found.json() if as_json else found.line())
    return 0


@click.command(short_help="List all runs.")
@runs_dir_option
@json_option
def runs(runs_dir: str, as_json: bool) -> int:
    """List the runs, live ones first, then the one that changed last; `dead` is one whose process vanished.

    Why a run is `unreadable` is told on stderr, and with --json as its `error`.
    Runs outside the directory that runs are kept in are listed too, with their path.
    """
    from tui_trainer.sessions.listing import errors, overviews, table

    root = runs_root(runs_dir)
    found = overviews(root)
    if as_json:
        for each in found:
            print(each.json())
    else:
        print(table(found, root) if found else f"There is no run in {visible_line(str(root))}.", flush=True)
        for line in errors(found):
            print(line, file=sys.stderr)
    return 0
