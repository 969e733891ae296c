"""All runs in a table: what is alive comes first, and it fits a narrow terminal."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.run.test_lock import held
from tests.unit.sessions.test_overview import SHORT, make
from tests.unit.state.folded import state
from tui_trainer.run import run_index
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Resources
from tui_trainer.sessions import presence
from tui_trainer.sessions.base import EventQueue, Joined
from tui_trainer.sessions.control.address import bind
from tui_trainer.sessions.control.server import ControlServer
from tui_trainer.sessions.listing import WIDTH, overviews, table
from tui_trainer.sessions.overview import overview


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def test_the_table_begins_with_what_is_alive_and_then_with_what_changed_last(root: Path) -> None:
    make(root, "old", *SHORT, state("finished", 200.0, step=10))
    make(root, "new\x1b[2J", *SHORT, state("stopped", 300.0, step=10))
    alive = make(root, "alive", *SHORT)
    (root / "no-run").mkdir()
    broken = make(root, "broken")
    broken.config.write_text("steps = [", encoding="utf-8")
    for path in (broken.path, broken.config):
        os.utime(path, (0, 0))
    with held(alive):
        lines = table(overviews(root), root).splitlines()
    assert [line.split()[1] for line in lines] == ["STATE", "running", "stopped", "finished", "unreadable"]
    assert lines[0].index("STATE") == lines[1].index("running") == lines[2].index("stopped")
    assert "\x1b" not in "".join(lines)


def test_no_runs_are_a_heading(root: Path) -> None:
    assert table(overviews(root), root).split()[0] == "RUN"


def test_a_run_elsewhere_is_listed_by_its_path(root: Path, tmp_path: Path) -> None:
    make(root, "cats", *SHORT)
    elsewhere = make(tmp_path / ("deep" * 20), "owls", *SHORT)
    run_index.add_run(elsewhere)
    lines = table(overviews(root), root).splitlines()
    assert str(elsewhere.path) in lines
    below = lines[lines.index(str(elsewhere.path)) + 1]
    assert below.index("dead") == lines[0].index("STATE")
    assert any(line.startswith("cats  ") for line in lines)
    assert max(len(line) for line in lines if line != str(elsewhere.path)) <= WIDTH


def test_a_million_steps_fit(root: Path) -> None:
    found = overview(make(root, "cats", *SHORT))
    far = {"state": "running", "step": 999_999, "steps": 1_000_000}
    alive = {"live": True, "memory_bytes": 999 * 2**20, "unattended_since": time.time() - 86_000}
    lines = table([replace(found, name="a-name-of-some-length", **far, **alive)], root).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "999,999/1,000,000" in lines[-1]


class Told:
    """A trainer's socket that says where the run stands, and since when nobody looks."""

    def __init__(self, run: RunDirectory, about: dict[str, object]) -> None:
        self.about = about
        self.server = ControlServer(run.open(), self.join, lambda listener: None, lambda command: None)

    def join(self) -> Joined:
        return Joined(0, [], EventQueue(), self.about)


@pytest.fixture
def told(root: Path) -> Iterator[Told]:
    run = make(root, "cats", *SHORT, Resources(step=10, memory_bytes=1, device_memory_bytes=3 * 2**30))
    told = Told(run, {"state": "running", "step": 10, "unattended_since": time.time() - 3 * 3600})
    with held(run):
        yield told
    told.server.close()


def test_a_live_run_tells_its_process_its_memory_and_since_when_nobody_looks(root: Path, told: Told) -> None:
    (found,) = overviews(root)
    assert (found.live, found.pid) == (True, os.getpid())
    assert found.memory_bytes is not None and found.memory_bytes > 2**20
    assert json.loads(found.json())["device_memory_bytes"] == 3 * 2**30
    assert json.loads(found.json())["attended"] is False
    assert "unattended for 3h00m" in found.line() and f"pid {os.getpid()}" in found.line()
    heading, line = table([found], root).splitlines()
    assert line[heading.index("UNATTENDED") :].split()[0] == "3h00m"
    assert line[heading.index("GPU") :].startswith("3.0 GiB")


def test_a_run_that_somebody_looks_at_is_not_unattended(root: Path, told: Told) -> None:
    told.about = {"state": "running", "step": 10, "unattended_since": None}
    (found,) = overviews(root)
    assert found.attended is True
    assert found.unattended_since is None and "unattended" not in found.line()
    heading, line = table([found], root).splitlines()
    assert line[heading.index("UNATTENDED") :].split()[0] == "-"


@pytest.mark.parametrize("state", ["failed", "stopped", "finished", "loading"])
def test_the_state_and_the_step_are_those_that_the_trainer_says(root: Path, told: Told, state: str) -> None:
    told.about = {"state": state, "step": 12, "unattended_since": None}
    (found,) = overviews(root)
    assert (found.state, found.step, found.time_left) == (state, 12, None)


def test_a_trainer_that_cannot_be_understood_does_not_hide_the_other_runs(root: Path, told: Told) -> None:
    make(root, "owls", *SHORT, state("finished", 200.0, step=10))
    told.about = {"state": 7, "waiting": "x"}
    cats, owls = overviews(root)
    assert (cats.name, cats.live, cats.state, cats.step, cats.attended) == ("cats", True, "running", 10, None)
    assert (owls.name, owls.state) == ("owls", "finished")


def test_a_trainer_that_does_not_answer_is_not_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "ANSWER_SECONDS", 0.1)
    run = make(root, "cats", *SHORT)
    with run.open() as folder:
        silent = bind(folder)
    with held(run):
        (found,) = overviews(root)
    silent.close()
    assert found.live and found.unattended_since is None and json.loads(found.json())["attended"] is None
    heading, line = table([found], root).splitlines()
    assert line[heading.index("UNATTENDED") :].split()[0] == "?"
