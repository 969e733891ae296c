"""The commands that show runs."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.program import SMALL, Program, refused
from tests.unit.run.test_lock import held
from tui_trainer.cli import look
from tui_trainer.run.directory import RunDirectory
from tui_trainer.sessions import replay
from tui_trainer.ui.settings import ScreenSettings, load_settings, remember


def test_replay_without_a_name_takes_a_run_that_is_over(
    program: Program, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("over", "live"):
        program(corpus, *SMALL, "--name", name)
    viewed: list[str] = []
    monkeypatch.setattr(look, "view", lambda session, name, screen: viewed.append(name) or 0)
    with held(RunDirectory(runs / "live")):
        assert program("replay").status == 0
    assert program("replay").status == 0
    assert viewed == ["over", "live"]


def test_a_run_elsewhere_is_listed_and_found(
    program: Program, corpus: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(corpus, *SMALL)
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "none"))
    assert str(runs / "cats") in program("runs").out.splitlines()
    assert program("status", "cats").out.startswith("cats  finished")
    runs.rename(tmp_path / "moved")
    assert program("runs").out.startswith("There is no run in")
    refused(program("status", "cats"), "is not a run")


def test_a_run_that_cannot_be_read_is_listed_with_the_reason(program: Program, runs: Path) -> None:
    (runs / "cats").mkdir(parents=True)
    (runs / "cats" / "config.toml").touch()
    (runs / "cats" / "journal.jsonl").write_text('{"event": "run", "run": "cats", "format": 1000}\n')
    listed = program("runs")
    assert (listed.status, listed.out.splitlines()[1].split()[:2]) == (0, ["cats", "unreadable"])
    assert listed.err.startswith("cats: The run's journal was written by a newer version of tui-trainer: update")
    told = program("runs", "--json")
    assert json.loads(told.out)["error"] in listed.err
    assert (told.status, told.err) == (0, "")


def test_the_options_of_the_screen_come_before_what_was_chosen_last(monkeypatch: pytest.MonkeyPatch) -> None:
    remember(theme="nord", markers="block")
    shown: list[ScreenSettings] = []
    played: list[bool] = []
    monkeypatch.setattr(replay, "ReplaySession", lambda *_, **options: played.append(options["played"]))
    monkeypatch.setattr(look, "find_run", lambda *_: RunDirectory(Path("x")))
    monkeypatch.setattr(look, "view", lambda session, name, screen: shown.append(screen) or 0)
    for arguments in ([], ["--markers", "ascii", "--low-bandwidth", "--at-end"]):
        look.replay.main(["x", *arguments], standalone_mode=False)
    assert shown == [ScreenSettings("nord", "block"), ScreenSettings("nord", "ascii", low_bandwidth=True)]
    assert load_settings() == ScreenSettings("nord", "block")
    assert played == [True, False]
