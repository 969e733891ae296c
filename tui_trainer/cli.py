"""The command line: arguments to a configuration, then a session and a front end."""

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import Field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import tui_trainer
from tui_trainer.config import AUTO, Config, InputError, check_number, flag, options
from tui_trainer.run.text import visible_line

if TYPE_CHECKING:
    from tui_trainer.training.local import LocalSession

FAILED: Final = 1
BAD_INPUT: Final = 2
SIGNALLED: Final = 128


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

    return _run(LocalSession(config), headless)


@cli.command(short_help="Go on with a run.")
@click.argument("run", default="")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Steps the run is to have in all.")
@click.option("--runs-dir", default="", help="Where runs are kept.")
@headless_option
def resume(run: str, steps: int | None, runs_dir: str, headless: bool) -> int:
    """Go on with RUN (a name or a path; the latest when left out) from its newest checkpoint.

    A run that had reached its end goes on for as many steps again.
    """
    from tui_trainer.training.local import LocalSession

    return _run(LocalSession.resume(run, runs_dir, steps or 0), headless)


def _check_typed(asked: dict[str, Any]) -> None:
    """AUTO is for leaving an option out: a typed -1 is a number like any other, and out of range."""
    for _, spec in options():
        value = asked.get(spec.name)
        if not isinstance(value, str) and value == AUTO:
            check_number(spec, value)


def _run(session: "LocalSession", headless: bool) -> int:
    """Run a session behind the front end that fits; its exit status."""
    if headless or not (sys.stdout.isatty() and sys.stderr.isatty()):
        from tui_trainer.headless import Headless

        front = Headless(session)
        front.run()
        signalled = front.signalled
    else:
        signalled = _show(session)
    return _conclude(session, signalled)


def _show(session: "LocalSession") -> int | None:
    """Run a session on a screen; the signal that ended it, if one did."""
    _read_keys_from_terminal()
    # Textual writes there; a write that fails would stop its writer, and with it the way out.
    sys.__stderr__ = Lasting(sys.__stderr__)  # type: ignore[misc, assignment]
    from tui_trainer.ui.app import TrainerApp

    app = TrainerApp(session, session.label)
    app.run()
    return app.signalled


class Lasting:
    """A stream that outlives its terminal: what can no longer be written is dropped."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _read_keys_from_terminal() -> None:
    """When the corpus came through standard input, give the keyboard back to it."""
    if not os.isatty(0):
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError as error:
            raise InputError("There is no terminal to read keys from: use --headless.") from error
        os.dup2(terminal, 0)
        os.close(terminal)


def _conclude(session: "LocalSession", signalled: int | None) -> int:
    """Say on the normal screen what came of the run."""
    from tui_trainer.run.summary import summary

    outcome = session.outcome
    if outcome is None:
        return FAILED
    if outcome.error and outcome.status == BAD_INPUT:
        raise InputError(outcome.error)
    text = summary(session.snapshot(), session.before_and_after(), _program()) or outcome.error
    if text:
        # A reader that has gone changes nothing about the run.
        with suppress(OSError):
            print("\n" + text, flush=True)
    if outcome.status == 0 and signalled in (signal.SIGTERM, signal.SIGHUP):
        return SIGNALLED + signalled
    return outcome.status


def _program() -> str:
    """What to type to run this program again."""
    if shutil.which("tui-trainer"):
        return "tui-trainer"
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{sys.executable} -m tui_trainer"
    return sys.argv[0]


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
