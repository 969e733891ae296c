"""A run whose directory is renamed, moved, swapped or deleted while it is trained."""

import shutil
import threading
from pathlib import Path

import pytest

from tests.unit.run import journals
from tests.unit.training.helpers import Resumed, ScriptedSession, run_to_end, small_config
from tests.waiting import until
from tui_trainer.run import relocation, run_index
from tui_trainer.run.commands import Command
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CheckpointSaved, Event, Step
from tui_trainer.state.summary import summary


@pytest.fixture(autouse=True)
def looked_at_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relocation, "LOOK_SECONDS", 0.0)


def told(session: ScriptedSession) -> list[str]:
    return [alert.message for alert in session.of(Alert) if alert.kind == "directory"]


def test_a_run_that_is_moved_goes_on_where_it_is(corpus: Path, runs: Path, tmp_path: Path) -> None:
    before, after = runs / "cats", tmp_path / "elsewhere" / "dogs"
    after.parent.mkdir()

    def move(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 4:
            before.rename(after)
        return None

    session = run_to_end(small_config(corpus, name="cats"), move)

    assert session.outcome is not None and session.outcome.status == 0
    assert not before.exists()
    steps = [event.step for event in journals.read(after / "journal.jsonl") if isinstance(event, Step)]
    assert steps == list(range(1, 13))
    assert told(session) == [f"The run's directory was moved to {after}: the run goes on there."]
    late = [Path(event.path) for event in session.of(CheckpointSaved) if event.step > 6]
    assert late and {path.parent for path in late} == {after / "checkpoints"}
    assert session.run_path == after
    text = summary(session.snapshot(), (), session.run_path)
    assert text.startswith("dogs: finished")
    assert " resume dogs" in text and str(before) not in text
    resumed = Resumed(RunDirectory(after), steps=14)
    resumed.run()
    assert resumed.snapshot().step == 14
    assert not before.exists()


def test_a_run_that_is_moved_is_found_by_its_name_and_does_not_wait_for_that(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, add_run = dict[RunDirectory, threading.Thread](), run_index.add_run

    def add(run: RunDirectory) -> None:
        add_run(run)
        added[run] = threading.current_thread()

    def move(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 4:
            (runs / "cats").rename(runs / "dogs")
        return None

    monkeypatch.setattr(run_index, "add_run", add)
    run_to_end(small_config(corpus, name="cats"), move)
    until(lambda: RunDirectory(runs / "dogs") in added)
    assert added[RunDirectory(runs / "dogs")] is not threading.current_thread()


def test_another_directory_in_its_old_place_is_left_alone(corpus: Path, runs: Path) -> None:
    def swap(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 4:
            (runs / "cats").rename(runs / "dogs")
            (runs / "cats").mkdir()
        return None

    session = run_to_end(small_config(corpus, name="cats"), swap)

    assert session.outcome is not None and session.outcome.status == 0
    assert list((runs / "cats").iterdir()) == []
    assert RunDirectory(runs / "dogs").has_checkpoint()


def test_a_run_that_is_deleted_says_so_and_nothing_comes_back(corpus: Path, runs: Path) -> None:
    def delete(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 4:
            shutil.rmtree(runs / "cats")
        return None

    # Nothing is being saved while the directory is deleted.
    session = run_to_end(small_config(corpus, name="cats", checkpoint_every=100), delete)

    assert told(session) == [
        "The run's directory was deleted: training goes on, but nothing of it can be saved any more."
    ]
    assert [step.step for step in session.of(Step)] == list(range(1, 13))
    assert list(runs.iterdir()) == []
    refused = [alert.message for alert in session.of(Alert) if alert.kind == "checkpoint"]
    assert refused and all("could not be saved" in message for message in refused)
