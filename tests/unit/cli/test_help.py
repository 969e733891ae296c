"""The help and the version."""

import pytest

from tests.unit.cli.program import Program
from tui_trainer.config import options


def test_help_names_every_option(program: Program) -> None:
    outcome = program("train", "--help")
    assert (outcome.status, outcome.err) == (0, "")
    for _, spec in options():
        if spec.name != "corpus":
            assert f"--{spec.name.replace('_', '-')} " in outcome.out
    for name in ("--headless", "--config", "CORPUS"):
        assert name in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_names_the_commands(program: Program, arguments: list[str]) -> None:
    outcome = program(*arguments)
    text = outcome.out + outcome.err
    assert "Usage: " in text
    assert "\n  train " in text
    assert "\n  resume " in text
    assert "tui-trainer CORPUS..." in text


def test_version(program: Program) -> None:
    assert program("--version").out == "tui-trainer, version 0.1.0\n"
