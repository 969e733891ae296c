"""The program: its commands, and what a mistake of the user's comes to."""

import difflib
import io
import os
import signal
import sys
from pathlib import Path

import click

import tui_trainer
from tui_trainer.cli import control, look, train
from tui_trainer.config import InputError
from tui_trainer.launch.exits import BAD_INPUT, SIGNALLED
from tui_trainer.run.printing import say
from tui_trainer.run.text import visible_line


class DefaultToTrain(click.Group):
    """`tui-trainer CORPUS` is `tui-trainer train CORPUS`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            args = ["--help"]
        if args[0] not in self.commands and args[0] not in ("--help", "-h", "--version"):
            self._check_word(args[0])
            args = ["train", *args]
        return super().parse_args(ctx, args)

    def _check_word(self, word: str) -> None:
        """Refuse a mistyped command instead of looking for a corpus of that name; raises InputError."""
        meant = difflib.get_close_matches(word, self.commands, n=1)
        if meant and word.isalpha() and not os.path.lexists(word):
            raise InputError(f"There is no command {word}, nor a file of that name: did you mean {meant[0]}?")


@click.group(cls=DefaultToTrain, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(tui_trainer.__version__, prog_name="tui-trainer")
def cli() -> None:
    """Train a language model on your own text, from a terminal.

    `tui-trainer CORPUS...` is short for `tui-trainer train CORPUS...`.
    """


TRAIN = (train.train, train.resume)
LOOK = (look.attach, look.replay, look.status, look.runs)
CONTROL = (control.stop, control.pause, control.save)
for command in (*TRAIN, *LOOK, *CONTROL):
    cli.add_command(command)


def main() -> None:
    """The program: a mistake of the user's is one sentence on standard error and exit status 2."""
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What a terminal cannot show must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_status())
    finally:
        _let_go_of_output()


def _open_closed_streams() -> None:
    """Read from, or write to, nowhere where the shell has closed a standard stream (`>&-`).

    Else a file that is opened later takes its number, and what a library writes to standard error goes into that.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("w" if number else "r")  # noqa: SIM115 - its number is the lowest free one
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _status() -> int:
    try:
        status = cli.main(standalone_mode=False)
    except InputError as error:
        return _refuse(str(error))
    except click.ClickException as error:
        message = error.format_message()
        return _refuse(message if message.endswith((".", "?", "?)")) else message + ".")
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
    say(f"tui-trainer: {visible_line(message)}", sys.stderr)
    return BAD_INPUT
