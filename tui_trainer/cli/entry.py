"""The entry point: the commands, and how errors become messages and exit statuses."""

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
            self._refuse_typo(args[0])
            args = ["train", *args]
        return super().parse_args(ctx, args)

    def _refuse_typo(self, word: str) -> None:
        """Raises InputError for a mistyped command that names no file, instead of looking for a corpus of that name."""
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
    """Run the program; a mistake of the user's is one sentence on standard error and exit status 2."""
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal's encoding lacks must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_status())
    finally:
        _flush_output()


def _open_closed_streams() -> None:
    """Open the null device for each standard stream that the shell has closed (`>&-`).

    Otherwise a file that is opened later would get its descriptor, and a library's output to standard error.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("w" if number else "r")  # noqa: SIM115 - it gets the lowest free descriptor
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _status() -> int:
    try:
        status = cli.main(standalone_mode=False)
    except InputError as error:
        return _fail(str(error))
    except click.ClickException as error:
        message = error.format_message()
        return _fail(message if message.endswith((".", "?", "?)")) else message + ".")
    except (click.Abort, KeyboardInterrupt):
        return SIGNALLED + signal.SIGINT
    return status or 0


def _flush_output() -> None:
    """Flush standard output; if its reader has gone, redirect it, as Python would report an error at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    say(f"tui-trainer: {visible_line(message)}", sys.stderr)
    return BAD_INPUT
