"""Commands that are advised work as they are printed, from any directory."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.unit.run.test_directory import make_run
from tests.unit.run.test_finding import make_indexed
from tui_trainer.config import Config
from tui_trainer.run import advice
from tui_trainer.run.advice import attach_command, resume_command, run_argument
from tui_trainer.run.advice import program as program_before
from tui_trainer.run.directory import RunDirectory, runs_root
from tui_trainer.run.finding import find_run
from tui_trainer.state.summary import left_alive, left_as_saved


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice, "program", lambda: "tui-trainer")


def finds(run: RunDirectory) -> bool:
    """Whether the printed argument finds the run."""
    (typed,) = shlex.split(run_argument(run))
    return find_run(typed, runs_root("")).path.resolve() == run.path.resolve()


def test_a_run_is_named_if_its_name_finds_it(tmp_path: Path, runs: Path) -> None:
    run, elsewhere = make_indexed(runs, "cats"), make_indexed(tmp_path, "owls")
    assert [run_argument(run), run_argument(elsewhere)] == ["cats", "owls"]
    assert finds(run) and finds(elsewhere)


def test_of_two_runs_with_one_name_each_is_given_by_its_path(tmp_path: Path, runs: Path) -> None:
    run, elsewhere = make_indexed(runs, "base"), make_indexed(tmp_path, "base")
    assert [run_argument(run), run_argument(elsewhere)] == [str(run.path), str(elsewhere.path)]
    assert finds(run) and finds(elsewhere)


def test_a_run_whose_name_another_has_here_is_given_by_its_path(tmp_path: Path, runs: Path) -> None:
    make_run(runs, "base")
    elsewhere = make_indexed(tmp_path, "base")
    assert run_argument(elsewhere) == str(elsewhere.path)


def test_a_run_outside_the_index_is_given_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "my runs", "cats")
    monkeypatch.chdir(tmp_path)
    run = RunDirectory(Path("my runs/cats"))
    assert run_argument(run) == f"'{tmp_path}/my runs/cats'"


@pytest.mark.parametrize("name", ["-my run", "--again", "two words", "a'b", "$HOME", "~", "a;b"])
def test_any_name_is_one_argument_and_no_option(runs: Path, name: str) -> None:
    run = make_indexed(runs, name)
    assert not run_argument(run).startswith("-")
    assert finds(run)


def test_the_resume_command_has_its_options(runs: Path) -> None:
    run = make_indexed(runs, "cats")
    assert attach_command(run) == "tui-trainer attach cats"
    assert resume_command(run) == "tui-trainer resume cats"
    assert resume_command(run, again=True) == "tui-trainer resume cats --again"
    run.config.write_text(Config().update(corpus=("-",)).to_toml())
    assert resume_command(run) == "... | tui-trainer resume cats"
    assert resume_command(run, paused=True) == "tui-trainer resume cats"


def test_this_program_is_found_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["my bin/tui-trainer", "cats.txt"])
    assert program_before() == f"'{tmp_path}/my bin/tui-trainer'"


def test_the_message_after_detaching(runs: Path) -> None:
    run = make_indexed(runs, "cats")
    look = "Look at it again with:\n  tui-trainer attach cats"
    assert left_alive(run, "running") == f"Training goes on. {look}"
    paused = left_alive(run, "paused")
    assert paused == f"cats is paused: it takes no step until it is resumed.\n{look}\nLet it go on with:\n" + (
        "  tui-trainer resume cats"
    )
    assert left_alive(None, "loading") == "The run goes on."


def test_the_message_after_ending_at_once(runs: Path) -> None:
    run = make_indexed(runs, "cats")
    assert left_as_saved(None, "cats.txt\x1b") == "cats.txt\u241b: nothing was trained."
    assert left_as_saved(run, "cats") == "cats: no checkpoint was saved."
    run.checkpoints.mkdir(exist_ok=True)
    (run.checkpoints / "latest").write_text("step-00001200")
    assert left_as_saved(run, "cats") == "cats: saved up to step 1,200. Go on with:\n  tui-trainer resume cats"
