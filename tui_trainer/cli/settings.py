"""The configuration's fields as options of a command."""

from collections.abc import Callable
from dataclasses import Field
from typing import Any

import click

from tui_trainer.config import flag, options


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: every field of the configuration but the corpus as an option of a command."""
    for _, spec in reversed(list(options())):
        if spec.name != "corpus":
            declare = click.option(flag(spec.name), spec.name, type=_option_type(spec), help=_described(spec))
            command = declare(command)
    return command


def _option_type(spec: Field[Any]) -> click.ParamType[Any]:
    if spec.metadata["choices"]:
        return click.Choice(spec.metadata["choices"])
    types: dict[Any, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT}
    return types.get(spec.type, click.STRING)


def _described(spec: Field[Any]) -> str:
    default = spec.default
    shown = "auto" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
    return f"{spec.metadata['help']}  [default: {shown}]" if shown else f"{spec.metadata['help']}"


class SectionedCommand(click.Command):
    """Lists its options in the help under the configuration's sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections = {spec.name: section.name for section, spec in options()}
        records: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
                records.setdefault(sections.get(parameter.name or "", "options"), []).append(record)
        for heading, lines in records.items():
            with formatter.section(heading.capitalize()):
                formatter.write_dl(lines)
