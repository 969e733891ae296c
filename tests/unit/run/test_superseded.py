"""What of a journal still counts after a run was taken up from an older step."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.run.journals import tail, without_superseded, write_journal
from tests.unit.state.folded import evaluation, sample, started, state, step
from tui_trainer.run.codec import encode
from tui_trainer.run.events import Alert, BranchStarted, CheckpointSaved, Event
from tui_trainer.run.journal import valid_events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def steps(events: Iterable[Event]) -> list[int]:
    return [event.step for event in events if event.event == "step"]


def test_a_run_never_resumed_counts_whole(path: Path) -> None:
    events = [started(), *map(step, range(1, 6)), state("finished", 9.0, step=5)]
    write_journal(path.parent, *events)
    assert list(without_superseded(path)) == events


def test_steps_taken_again_count_once(path: Path) -> None:
    write_journal(path.parent, started(), step(1), step(2), step(3), started(step=2), step(3), step(4))
    assert steps(without_superseded(path)) == [1, 2, 3, 4]


def test_a_resume_from_further_back_undoes_the_one_before(path: Path) -> None:
    first, second = [step(1), step(2), step(3)], [step(3), step(4), step(5)]
    write_journal(path.parent, started(), *first, started(step=2), *second, started(step=1), step(2))
    assert steps(without_superseded(path)) == [1, 2]


def test_a_resume_that_is_to_come_counts_too(path: Path) -> None:
    write_journal(path.parent, started(), *map(step, range(1, 6)))
    assert steps(without_superseded(path, resumed_at=3)) == [1, 2, 3]


def test_only_what_is_measured_is_undone(path: Path) -> None:
    """That something happened to the run stays true."""
    alert = Alert(step=3, time=1.0, kind="divergence", severity="warning", message="Skipped.")
    write_journal(path.parent, started(), evaluation(3, 2.0, best=True), sample(3, "cat"), alert, started(step=2))
    assert [event.event for event in without_superseded(path)] == ["run", "alert", "run"]


def test_a_checkpoint_goes_with_its_step(path: Path) -> None:
    """The trainer resumed an older one, since this is damaged or gone."""
    saved = [CheckpointSaved(step=step, time=1.0, path=f"step-{step:08}", reason="periodic") for step in (2, 3)]
    write_journal(path.parent, started(), *saved, started(step=2))
    assert [event for event in without_superseded(path) if event.event == "checkpoint"] == saved[:1]


def test_the_last_events_count_as_they_do_in_the_whole_journal() -> None:
    before = [step(5), step(6), evaluation(7, 2.0, best=True)]
    resumed = [started(step=5), step(6)]
    assert list(valid_events([*before, *resumed])) == [before[0], *resumed]
    branch = BranchStarted(step=5, time=1.0, id=2, parent=1)
    assert list(valid_events([*before, branch, step(6)])) == [before[0], branch, step(6)]
    abandoned = [branch, step(6), step(7)]
    assert list(valid_events([*before[:2], *abandoned, *(back := [started(step=6), step(7)])])) == [*before[:2], *back]
    assert list(valid_events(before)) == before
    assert list(valid_events([])) == []


def test_a_part_of_the_journal_ends_at_a_line(path: Path) -> None:
    write_journal(path.parent, started(), step(1), step(2), started(step=1), step(2))
    size = sum(len(encode(event).encode()) + 1 for event in (started(), step(1), step(2)))
    assert steps(without_superseded(path, size)) == [1, 2]
    assert steps(without_superseded(path, size - 1)) == [1]


def test_the_tail_is_whole_lines(path: Path) -> None:
    write_journal(path.parent, *map(step, range(1, 101)))
    line = len(encode(step(100)).encode()) + 1
    assert steps(tail(path, size=3 * line + 10)) == [98, 99, 100]
    assert steps(tail(path)) == list(range(1, 101))
    for wanted in (0, 2, 100, 1000):
        assert steps(tail(path, steps=wanted)) == list(range(1, 101))[max(0, 100 - wanted) :]
