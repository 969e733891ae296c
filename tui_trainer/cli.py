"""The command line: arguments to a configuration, then a session and a front end."""

import io
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import Any, Final

import click

import tui_trainer
from tui_trainer import fronts
from tui_trainer.config import AUTO, Config, InputError, check_number, flag, options
from tui_trainer.fronts import BAD_INPUT, SIGNALLED
from tui_trainer.run.directory import find_run, runs_root
from tui_trainer.run.text import visible_line


class DefaultToTrain(click.Group):
    """`tui-trainer CORPUS` is `tui-trainer train CORPUS`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            args = ["--help"]
        if args[0] not in self.commands and args[0] not in ("--help", "-h", "--version"):
            args = ["train", *args]
        return super().parse_args(ctx, args)


CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=DefaultToTrain, context_settings=CONTEXT)
@click.version_option(tui_trainer.__version__, prog_name="tui-trainer")
def cli() -> None:
    """Train a language model on your own text, from a terminal.

    `tui-trainer CORPUS...` is short for `tui-trainer train CORPUS...`.
    """


def _option_type(spec: Field[Any]) -> click.ParamType[Any]:
    if spec.metadata["choices"]:
        return click.Choice(spec.metadata["choices"])
    types: dict[Any, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT}
    return types.get(spec.type, click.STRING)


def _described(spec: Field[Any]) -> str:
    default = spec.default
    shown = "auto" if default == AUTO else f"{default:g}" if isinstance(default, float) else str(default)
    return f"{spec.metadata['help']}  [default: {shown}]" if shown else f"{spec.metadata['help']}"


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every field of the configuration as an option, but for the corpus."""
    for _, spec in reversed(list(options())):
        if spec.name != "corpus":
            declare = click.option(flag(spec.name), spec.name, type=_option_type(spec), help=_described(spec))
            command = declare(command)
    return command


run_argument = click.argument("run", default="")
runs_dir_option = click.option("--runs-dir", default="", help="Where runs are kept.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line.")
headless_option = click.option("--headless", is_flag=True, help="Print lines instead of opening a screen.")


class SectionedCommand(click.Command):
    """Lists its options under the configuration's sections, which are those of a TOML file too."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections = {spec.name: section.name for section, spec in options()}
        records: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
                records.setdefault(sections.get(parameter.name or "", "options"), []).append(record)
        for heading, lines in records.items():
            with formatter.section(heading.capitalize()):
                formatter.write_dl(lines)


@cli.command(cls=SectionedCommand, short_help="Train a new model on a corpus.")
@click.argument("corpus", nargs=-1)
@config_options
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Settings in TOML, under [data], [model] and so on; options given here win.",
)
@headless_option
def train(corpus: tuple[str, ...], config_file: Path | None, headless: bool, **asked: Any) -> int:
    """Train a new model on CORPUS: text files, directories, glob patterns, or - for standard input."""
    config = Config.from_toml(config_file) if config_file else Config()
    _check_typed(asked)
    config = config.update(**{name: value for name, value in asked.items() if value is not None})
    if corpus:
        config = config.update(corpus=corpus)
    from tui_trainer.training.local import LocalSession

    return fronts.train(LocalSession(config), headless)


@cli.command(short_help="Go on with a run.")
@run_argument
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Steps the run is to have in all.")
@click.option(
    "--again", is_flag=True, help="Train a run that has come to its end for as many steps more as were planned."
)
@runs_dir_option
@headless_option
def resume(run: str, steps: int | None, again: bool, runs_dir: str, headless: bool) -> int:
    """Go on with RUN (a name or a path; the latest when left out) from its newest checkpoint to its end.

    A run that has come to its end is shown with its best model, and trains on only with --again or a larger --steps.
    """
    if steps and again:
        raise InputError("--steps and --again both say how long the run is to be: give one of them.")
    from tui_trainer.training.local import LocalSession

    return fronts.train(LocalSession.resume(run, runs_dir, steps or 0, again), headless)


@cli.command(short_help="Look at a live run, and steer it.")
@run_argument
@runs_dir_option
def attach(run: str, runs_dir: str) -> int:
    """Open the screen of RUN, which another process trains; leaving it lets the run go on.

    RUN is a name or a path; the live one that changed last when left out.
    """
    from tui_trainer.run.attached import AttachedSession
    from tui_trainer.run.lock import is_locked

    directory = find_run(run, runs_root(runs_dir), lambda each: is_locked(each.lock))
    return fronts.view(AttachedSession(directory), directory.name)


@cli.command(short_help="Look at a run that nobody trains.")
@run_argument
@runs_dir_option
def replay(run: str, runs_dir: str) -> int:
    """Open the screen of RUN as its journal tells it."""
    from tui_trainer.run.replay import ReplaySession

    directory = find_run(run, runs_root(runs_dir))
    return fronts.view(ReplaySession(directory), directory.name)


@cli.command(short_help="Tell how a run is doing, in a line.")
@run_argument
@runs_dir_option
@json_option
def status(run: str, runs_dir: str, as_json: bool) -> int:
    """Print one line about RUN: its state, step, losses and time left."""
    from tui_trainer.run.overview import overview

    found = overview(find_run(run, runs_root(runs_dir), lambda each: True))
    print(found.json() if as_json else found.line())
    return 0


@cli.command(short_help="List all runs.")
@runs_dir_option
@json_option
def runs(runs_dir: str, as_json: bool) -> int:
    """List the runs, the one that changed last first; `dead` is one whose process vanished."""
    from tui_trainer.run.overview import overviews, table

    root = runs_root(runs_dir)
    found = overviews(root)
    if as_json:
        print("\n".join(each.json() for each in found))
    else:
        print(table(found) if found else f"There is no run in {visible_line(str(root))}.")
    return 0


def _check_typed(asked: dict[str, Any]) -> None:
    """AUTO is for leaving an option out: a typed -1 is a number like any other, and out of range."""
    for _, spec in options():
        value = asked.get(spec.name)
        if not isinstance(value, str) and value == AUTO:
            check_number(spec, value)


def main() -> None:
    """The program: a mistake of the user's is one sentence on standard error and exit status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What a terminal cannot show must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_status())
    finally:
        _let_go_of_output()


def _status() -> int:
    try:
        status = cli.main(standalone_mode=False)
    except InputError as error:
        return _refuse(str(error))
    except click.ClickException as error:
        message = error.format_message()
        return _refuse(message if message.endswith((".", "?", ")")) else message + ".")
    except (click.Abort, KeyboardInterrupt):
        return SIGNALLED + signal.SIGINT
    return status or 0


def _let_go_of_output() -> None:
    """Write what is left; where nobody reads any more, Python would complain of it when it exits."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(message: str) -> int:
    print(f"tui-trainer: {visible_line(message)}", file=sys.stderr)
    return BAD_INPUT
