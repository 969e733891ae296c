"""Steps that are taken again, come late or in any order: a history forgets those that no longer count."""

import random

import numpy as np
import pytest

from tests.unit.history.values import SMALL, filled, whole
from tui_trainer.history.history import BUCKETS, METRICS, History


def test_what_comes_after_a_step_is_dropped() -> None:
    history = filled([float(step) for step in range(1, 41)])
    for step in (40, 25, 7):
        history.drop_after(step)
        assert whole(history) == list(range(1, step + 1))
    history.add(8, {"loss": 80.0})
    assert whole(history) == [*range(1, 8), 80]
    history.drop_after(0)
    assert whole(history) == []
    history.add(1, {"loss": 5.0})
    assert whole(history) == [5]


@pytest.mark.parametrize("count", [65, 100, 1000, 1023])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_long_history_goes_on_after_a_drop(count: int, part: float) -> None:
    """Of the bucket that a step lies in all is kept."""
    history = filled([1.0] * count)
    last = int(count * part)
    history.drop_after(last)
    kept = history.window("loss", 0, count, 1000)
    assert (kept.steps <= last).all()
    assert last <= kept.count.sum() < last + history.stride
    for step in range(last + 1, count + 1):
        history.add(step, {"loss": 2.0})
    again = history.window("loss", 0, count, 1000)
    assert (np.diff(again.steps) > 0).all()
    assert again.high[-1] == 2.0


def test_an_evaluation_that_is_done_again_counts_once() -> None:
    for later in (2, 50):
        history = filled([4.0, 3.0], "val_loss")
        for step in range(3, later):
            history.add(step, {"loss": 1.0})
        history.forget(2, ["val_loss", "unheard of"])
        history.add(2, {"val_loss": 3.001})
        assert whole(history, "val_loss") == [4.0, 3.001]


@pytest.mark.parametrize("step", [1, 64, 199, 255, 256])
def test_a_step_is_forgotten_at_every_resolution_and_nothing_is_copied(step: int) -> None:
    """Whatever the number of steps: it is done in the thread that trains."""
    history = filled([float(step) for step in range(1, 301)], batch=7)
    history.flush()
    levels = history._view.pyramid.levels
    history.forget(step, ["loss"])
    assert history._view.pyramid.levels is levels
    expected = History(batch=7)
    for number in filter(lambda number: number != step, range(1, 301)):
        expected.add(number, {"loss": float(number)})
    for columns in (1, 2, 10, 75, 1000):
        found, wanted = (each.window("loss", 0, 300, columns) for each in (history, expected))
        for name in ("low", "high", "mean", "count"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_what_comes_late_is_put_where_it_belongs() -> None:
    """Another tool may write its evaluations steps later."""
    values = [float(step) for step in range(1, 501)]
    history = filled(list(values))
    for late in (3, 250):
        history.add(late, {"loss": 1000.0 + late})
    for _ in range(2):
        curve = history.window("loss", 0, 500, 64)
        assert curve.count.sum() == 502
        assert (np.diff(curve.steps) > 0).all()
        assert curve.high[0] == 1003.0
        history.flush()


def test_steps_in_any_order_amount_to_the_same() -> None:
    steps = list(range(1, 500))
    random.Random(1).shuffle(steps)
    history = History(**SMALL)
    for step in steps:
        history.add(step, {"loss": float(step)})
    history.flush()
    curve, expected = (each.window("loss", 0, 500, 64) for each in (history, filled([float(n) for n in range(1, 500)])))
    for name in ("steps", "low", "high", "count"):
        np.testing.assert_array_equal(getattr(curve, name), getattr(expected, name))


@pytest.mark.parametrize("step", [2**40, 2**62])
def test_a_step_that_nobody_can_have_taken_takes_no_memory(step: int) -> None:
    history = filled([1.0, 2.0])
    history.add(step, {"loss": 3.0})
    history.flush()
    assert sum(cells.nbytes for cells in history._view.pyramid.levels) < 2**20
    assert history.window("loss", 0, step, 10).high.tolist() == [2.0, 3.0]


def test_memory_is_bounded() -> None:
    """As many metrics as there may be, over more steps than there are buckets, take at most 64 MB."""
    history = History()
    for step in range(0, 40_000, 16):
        history.add(step, {f"metric {number}": 1.0 for number in range(METRICS)})
    history.add(10_000_000, {"loss": 1.0})
    history.flush()
    room = sum(cells.nbytes for cells in history._view.pyramid.levels) / len(history.metrics)
    assert room * BUCKETS / history._view.pyramid.levels[0].shape[-1] * METRICS < 64e6
