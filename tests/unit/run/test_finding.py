"""Finding runs: in the root, by a path, and anywhere else through the index."""

from pathlib import Path

import pytest

from tests.unit.run.test_directory import make_run
from tests.unit.run.test_lock import held
from tui_trainer.config import InputError
from tui_trainer.run import run_index
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.finding import find_live_run, find_run, known_runs, live_runs
from tui_trainer.sessions.choosing import find_run_to_resume
from tui_trainer.sessions.listing import overviews


def make_indexed(root: Path, name: str, age: float = 0.0) -> RunDirectory:
    run = RunDirectory(make_run(root, name, age))
    run_index.add_run(run)
    return run


def test_the_latest_run_is_the_one_whose_journal_changed_last(tmp_path: Path) -> None:
    make_run(tmp_path, "old", age=100)
    make_run(tmp_path, "new", age=5)
    make_run(tmp_path, "older", age=500)
    (tmp_path / "no run").mkdir()
    (tmp_path / "a file").touch()
    assert find_run("", tmp_path).name == "new"


def test_a_run_by_name_or_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_run(tmp_path / "runs", "cats")
    elsewhere = make_run(tmp_path / "elsewhere", "dogs")
    assert find_run("cats", tmp_path / "runs").path == path
    assert find_run(str(elsewhere), tmp_path / "runs").path == elsewhere
    monkeypatch.chdir(elsewhere)
    assert find_run("../../runs/cats/", tmp_path / "none").path == path
    assert find_run(".", tmp_path / "runs").name == "dogs"


def test_a_name_in_the_root_comes_before_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path, "cats")
    in_root = make_run(tmp_path / "runs", "cats")
    monkeypatch.chdir(tmp_path)
    assert find_run("cats", tmp_path / "runs").path == in_root


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no run in .*: train one, or name another --runs-dir"):
        find_run("", tmp_path / "none")
    with pytest.raises(InputError, match="There is no run in"):
        find_run("", tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nothing", str(tmp_path), "x" * 300):
        with pytest.raises(InputError, match="is not a run"):
            find_run(name, tmp_path)
    with pytest.raises(InputError, match="a\u241b is not a run"):
        find_run("a\x1b", tmp_path)


# -- through the index ---------------------------------------------------------------------------------------------


def test_a_run_elsewhere_is_found_by_its_name(tmp_path: Path) -> None:
    owls = make_indexed(tmp_path / "there", "owls")
    assert find_run("owls", tmp_path / "here") == owls
    make_run(tmp_path / "here", "owls")
    assert find_run("owls", tmp_path / "here").path == tmp_path / "here" / "owls"


def test_a_name_in_several_places_lists_them(tmp_path: Path) -> None:
    one, two = make_indexed(tmp_path / "one", "owls"), make_indexed(tmp_path / "two", "owls")
    with pytest.raises(InputError, match="Several runs are named owls") as raised:
        find_run("owls", tmp_path / "here")
    assert str(one.path) in str(raised.value) and str(two.path) in str(raised.value)
    with held(two):
        assert find_live_run("owls", tmp_path / "here") == two


def test_without_a_name_the_root_comes_first_and_the_index_when_it_has_none(tmp_path: Path) -> None:
    there = make_indexed(tmp_path / "there", "owls", age=5)
    assert find_run("", tmp_path / "here") == there
    here = make_run(tmp_path / "here", "cats", age=50)
    assert find_run("", tmp_path / "here").path == here


def test_a_live_run_elsewhere_comes_before_a_dead_one_here_where_a_live_one_is_wanted(tmp_path: Path) -> None:
    make_run(tmp_path / "here", "cats")
    there = make_indexed(tmp_path / "there", "owls", age=5)
    with held(there):
        assert find_run("", tmp_path / "here", lambda run: run == there) == there
        assert find_live_run("", tmp_path / "here") == there


def test_the_roots_runs_are_not_known_twice(tmp_path: Path) -> None:
    run, there = make_indexed(tmp_path / "here", "cats"), make_indexed(tmp_path / "there", "owls")
    (tmp_path / "link").symlink_to(tmp_path / "here")
    assert known_runs(tmp_path / "here") == [run, there]
    assert [each.path for each in known_runs(tmp_path / "link")] == [tmp_path / "link" / "cats", there.path]


def test_of_several_live_runs_one_has_to_be_named(tmp_path: Path) -> None:
    cats, owls = make_indexed(tmp_path / "here", "cats"), make_indexed(tmp_path / "there", "owls\x1b[2J")
    with pytest.raises(InputError, match="No run is being trained"):
        find_live_run("", tmp_path / "here")
    with held(cats), held(owls):
        assert live_runs(tmp_path / "here") == [cats, owls]
        with pytest.raises(InputError, match="so name one") as raised:
            find_live_run("", tmp_path / "here")
    assert str(raised.value).isprintable()
    assert str(cats.path) in str(raised.value) and "\u241b[2J" in str(raised.value)


def test_a_run_that_is_not_trained_takes_no_commands(tmp_path: Path) -> None:
    make_run(tmp_path, "cats")
    with pytest.raises(InputError, match="The run cats is not being trained"):
        find_live_run("cats", tmp_path)


def test_an_unreadable_root_is_not_a_missing_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = make_indexed(tmp_path / "there", "owls")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    here = tmp_path / "here"
    make_run(here, "cats")
    for look in (
        lambda: find_run("", here),
        lambda: find_run("dogs", here),
        lambda: find_live_run("", here),
        lambda: live_runs(here),
        lambda: find_run_to_resume("", here),
        lambda: overviews(here),
    ):
        with pytest.raises(InputError, match=r"Cannot look for runs in .*here"):
            look()
    assert find_run("owls", here) == there
