"""The commands that control a live run: each waits for the trainer's reply, and prints it in a line."""

import math
import sys
from collections.abc import Callable, Sequence

import click

from tui_trainer.cli.options import json_option, run_argument, runs_dir_option
from tui_trainer.config import InputError
from tui_trainer.launch.exits import FAILED
from tui_trainer.run.advice import attach_command
from tui_trainer.run.commands import Command, Pause, Resume, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory, runs_root
from tui_trainer.run.finding import find_live_run, live_runs
from tui_trainer.run.printing import say

Function = Callable[..., int]


def _seconds(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise InputError("--timeout takes a number of seconds.")
    return value


def waiting_options(function: Function) -> Function:
    """Decorator: the options of a command that waits for a reply."""
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=60.0,
        metavar="SECONDS",
        callback=_seconds,
        help="How long to wait for the answer.  [default: 60]",
    )
    return runs_dir_option(timeout(json_option(function)))


@click.command(short_help="Save a live run and end it.")
@run_argument
@click.option("--no-save", is_flag=True, help="Do not save what was learned since the newest checkpoint.")
@click.option("--all", "every", is_flag=True, help="Stop every live run.")
@waiting_options
def stop(run: str, no_save: bool, every: bool, runs_dir: str, timeout: float, as_json: bool) -> int:
    """Save a checkpoint of RUN, and end it.

    RUN is a name or a path; it may be left out when a single run is live. Exit status: 0 when the run is over and its
    checkpoint saved, 1 when that could not be, or has not been by the end of the timeout (it is still asked for then).
    """
    root = runs_root(runs_dir)
    if every and run:
        raise InputError("--all stops every run: give it or a name.")
    runs = live_runs(root) if every else [find_live_run(run, root)]
    if not runs and not as_json:
        say("No run is being trained.", sys.stdout)
    return _send(runs, Stop(value=not no_save), timeout, as_json)


@click.command(short_help="Pause a live run.")
@run_argument
@waiting_options
def pause(run: str, runs_dir: str, timeout: float, as_json: bool) -> int:
    """Let RUN take no more steps until it is resumed; it keeps its memory.

    RUN is a name or a path; it may be left out when a single run is live.
    """
    return _send([find_live_run(run, runs_root(runs_dir))], Pause(), timeout, as_json)


@click.command(short_help="Save a checkpoint of a live run.")
@run_argument
@waiting_options
def save(run: str, runs_dir: str, timeout: float, as_json: bool) -> int:
    """Save a checkpoint of RUN, which goes on meanwhile, and print where it is.

    RUN is a name or a path; it may be left out when a single run is live.
    """
    return _send([find_live_run(run, runs_root(runs_dir))], SaveCheckpoint(), timeout, as_json)


def resume_live(run: RunDirectory, timeout: float, as_json: bool) -> int:
    """Resume a live run if it is paused, and print how to attach to it; returns the exit status."""
    hint = f". Look at it with:\n  {attach_command(run)}"
    return _send([run], Resume(), timeout, as_json, hint)


def _send(runs: Sequence[RunDirectory], command: Command, timeout: float, as_json: bool, hint: str = "") -> int:
    """Send a command to runs and print each reply, with `hint` after one that it was applied; the exit status."""
    from tui_trainer.sessions.remote_command import send_to_runs

    status = 0
    for answer in send_to_runs(runs, command, timeout):
        if as_json:
            say(answer.json(), sys.stdout)
        elif answer.done:
            say(answer.line + hint, sys.stdout)
        if not answer.done:
            status = FAILED
            say(f"tui-trainer: {answer.line}.", sys.stderr)
    return status
