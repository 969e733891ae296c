"""What of a journal belongs to a run that has branches. The loss of a step says on which branch it was taken."""

import math
import tracemalloc
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import pytest

from tests.folding import curve, folded
from tests.unit.run.journals import without_superseded, write_journal
from tests.unit.state.folded import evaluation, sample, started, state, step
from tui_trainer.run import alerts
from tui_trainer.run.codec import decode
from tui_trainer.run.events import BranchStarted, Event, Step
from tui_trainer.run.lineage import FIRST_BRANCHES, MAX_BRANCHES, Start, after, last_steps


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def branch(number: int, parent: int, step: int) -> BranchStarted:
    return BranchStarted(step=step, time=100.0, id=number, parent=parent)


def measured(*steps: int, loss: float = 2.0) -> list[Event]:
    return [step(number, loss=loss) for number in steps]


def losses(events: Iterable[Event]) -> list[tuple[int, float]]:
    return [(event.step, event.loss) for event in events if isinstance(event, Step) and event.loss is not None]


def expected(**by_branch: Iterable[int]) -> list[tuple[int, float]]:
    """The steps that were taken with a loss, which says on which branch."""
    return sorted(
        (number, float(branch.removeprefix("on_"))) for branch, steps in by_branch.items() for number in steps
    )


def test_a_branch_goes_on_from_a_step_of_its_parent(path: Path) -> None:
    write_journal(path.parent, started(), *measured(*range(1, 9), loss=1), branch(2, 1, 5), *measured(6, 7, loss=2))
    assert losses(without_superseded(path)) == expected(on_1=range(1, 6), on_2=(6, 7))


def test_of_a_branch_that_a_run_does_not_descend_from_nothing_counts(path: Path) -> None:
    told = [evaluation(6, 1.0, best=True), sample(6, "other"), alerts.stop(6, "other")]
    first = [started(), *measured(*range(1, 11), loss=1)]
    second = [branch(2, 1, 5), *measured(6, 7, loss=2), *told]
    write_journal(path.parent, *first, *second, branch(3, 1, 8), *measured(9, loss=3))
    events = without_superseded(path)
    assert losses(events) == expected(on_1=range(1, 9), on_3=(9,))
    assert not [event for event in events if event in told]


def test_a_branch_of_a_branch(path: Path) -> None:
    write_journal(
        path.parent,
        *(started(), *measured(*range(1, 10), loss=1)),
        *(branch(2, 1, 6), *measured(*range(7, 12), loss=2)),
        *(branch(3, 2, 8), *measured(9, 10, loss=3)),
    )
    assert losses(without_superseded(path)) == expected(on_1=range(1, 7), on_2=(7, 8), on_3=(9, 10))


def test_a_branch_that_is_taken_up_at_an_older_step_begins_anew_there(path: Path) -> None:
    write_journal(
        path.parent,
        *(started(), *measured(*range(1, 10), loss=1)),
        *(branch(2, 1, 5), *measured(6, 7, 8, loss=2)),
        *(started(step=6, branch=2), *measured(7, loss=4)),
    )
    assert losses(without_superseded(path)) == expected(on_1=range(1, 6), on_2=(6,), on_4=(7,))


def test_a_run_that_has_lost_its_new_branch_is_on_the_one_before(path: Path) -> None:
    """It was killed before the branch had a checkpoint."""
    write_journal(
        path.parent,
        *(started(), *measured(*range(1, 10), loss=1)),
        *(branch(2, 1, 5), *measured(6, 7, loss=2)),
        *(started(step=8, branch=1), *measured(9, loss=3)),
    )
    assert losses(without_superseded(path)) == expected(on_1=range(1, 9), on_3=(9,))


def test_what_a_stranger_tells_of_branches_is_read_all_the_same(path: Path) -> None:
    write_journal(path.parent, started(), *measured(1, 2), branch(9, 7, 1), *measured(2, loss=3), started(branch=5))
    assert losses(without_superseded(path)) == []
    assert decode('{"event": "branch", "id": 1, "parent": 1, "step": 0}') is None
    assert decode('{"event": "branch", "id": 2, "parent": 0, "step": 0}') is None


def test_series_best_samples_and_alerts_are_those_of_the_branch(path: Path) -> None:
    first = [*measured(*range(1, 9), loss=1), evaluation(4, 2.0, best=True), evaluation(8, 1.0, best=True)]
    second = [
        branch(2, 1, 5),
        *measured(6, 7, loss=3),
        evaluation(7, 1.5, best=True),
        sample(7, "new"),
        alerts.stop(7, "new"),
    ]
    events = [
        started(),
        state("running", 100.0),
        *first,
        sample(4, "old"),
        sample(8, "lost"),
        alerts.stop(8, "lost"),
        *second,
    ]
    write_journal(path.parent, *events)
    for now in (folded(without_superseded(path)).snapshot(), folded(events).snapshot()):
        assert now.step == 7
        assert now.best_evaluation is not None and now.best_evaluation.step == 7
        assert [event.step for event in now.samples] == [7, 4]
        assert [event.step for event in now.alerts] == [7]
        assert [mark.step for mark in now.marks if mark.kind == "alert"] == [7]
        assert curve(now, "loss").mean.tolist() == [1, 1, 1, 1, 1, 3, 3]


def test_a_start_of_more_branches_than_a_run_has_is_left_out() -> None:
    """A stranger's journal: each takes as little time as the one before, and no memory of its own."""
    starts = [Start(number, number, number - 1) for number in range(2, 10_000)]
    tracemalloc.start()
    limits, after_each = last_steps(starts)
    branches = reduce(after, starts[:2000], FIRST_BRANCHES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(branches) == len(limits) == MAX_BRANCHES
    assert after_each == [*map(float, range(3, MAX_BRANCHES + 1)), *[math.inf] * (len(starts) - MAX_BRANCHES + 2)]
    assert peak < 40e6


def test_a_lineage_is_no_longer_than_a_run_has_branches() -> None:
    """Though two branches alone begin anew, each from the other, again and again."""
    starts = [Start(1 + number % 2, number, 2 - number % 2) for number in range(1, 3000)]
    assert max(map(len, reduce(after, starts, FIRST_BRANCHES))) == MAX_BRANCHES
