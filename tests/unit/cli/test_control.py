"""The commands that control live runs."""

from pathlib import Path

import pytest

from tests.unit.cli.program import SMALL, Program, refused
from tests.unit.run.test_lock import held
from tui_trainer.run.directory import RunDirectory


@pytest.mark.parametrize("command", ["stop", "pause", "save"])
def test_control_commands_need_a_live_run(program: Program, corpus: Path, runs: Path, command: str) -> None:
    refused(program(command), "No run is being trained")
    refused(program(command, "nothing"), "nothing is not a run")
    program(corpus, *SMALL)
    refused(program(command), "No run is being trained")
    refused(program(command, "cats"), "The run cats is not being trained")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["stop", "--all", "cats"], "--all stops every run"),
        (["pause", "--timeout=nan"], "--timeout takes a number of seconds"),
        (["pause", "--timeout=-1"], "--timeout"),
        (["save", "--timeout=soon"], "--timeout"),
        (["save", "cats", "dogs"], "unexpected extra argument"),
    ],
)
def test_bad_options_of_control_commands(program: Program, arguments: list[str], says: str) -> None:
    refused(program(*arguments), says)


def test_stop_all_without_a_live_run_succeeds(program: Program) -> None:
    outcome = program("stop", "--all")
    assert (outcome.status, outcome.out, outcome.err) == (0, "No run is being trained.\n", "")
    assert program("stop", "--all", "--json").out == ""


@pytest.mark.parametrize("option", ["--again", "--steps=50"])
def test_the_length_of_a_live_run_is_fixed(program: Program, corpus: Path, runs: Path, option: str) -> None:
    program(corpus, *SMALL)
    with held(RunDirectory(runs / "cats")):
        refused(program("resume", option), "so its length is fixed: stop it first")
