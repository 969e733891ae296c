"""The history of metrics: what a window shows, against the values themselves."""

import dataclasses
import math
import random
import threading
from itertools import pairwise

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from tui_trainer.history.history import BUCKETS, METRICS, NAMED, History
from tui_trainer.history.measurements import EVALUATED
from tui_trainer.run.events import Step
from tui_trainer.state.run_state import SMOOTHED

SMALL = {"buckets": 64, "batch": 7}


def filled(values: list[float | None], name: str = "loss", **sizes: int) -> History:
    """One value a step, from step 1."""
    history = History(**(sizes or SMALL))
    for step, value in enumerate(values, start=1):
        history.add(step, {name: value})
    return history


def whole(history: History, name: str = "loss", columns: int = 10_000) -> list[float]:
    """Every mean there is."""
    mean: list[float] = history.window(name, 0, columns, columns).mean.tolist()
    return mean


def noise(count: int, seed: int = 0) -> list[float | None]:
    """Values, with a gap now and then."""
    chosen = random.Random(seed)
    return [chosen.gauss(0, 1) if chosen.random() > 0.1 else None for _ in range(count)]


# -- what is shown -------------------------------------------------------------------------------------------------


def test_few_steps_are_shown_as_they_are() -> None:
    curve = filled([3.0, 1.0, 2.0]).window("loss", 0, 3, 80)
    assert curve.steps.tolist() == [1, 2, 3]
    assert curve.low.tolist() == curve.high.tolist() == curve.mean.tolist() == [3, 1, 2]
    assert curve.count.tolist() == [1, 1, 1]


def test_what_was_never_measured_is_empty() -> None:
    assert len(History().window("loss", 0, 100, 80)) == 0
    assert len(filled([1.0]).window("lr", 0, 100, 80)) == 0
    assert len(filled([1.0, 2.0]).window("loss", 5, 100, 80)) == 0


@pytest.mark.parametrize("count", [1, 6, 7, 8, 63, 64, 65, 128, 1000, 4321])
@pytest.mark.parametrize("columns", [1, 3, 20, 200])
def test_a_window_is_what_the_values_are(count: int, columns: int) -> None:
    """Of every point least, greatest, mean and count are exactly those of the steps up to the next point."""
    values = np.array([math.nan, *(math.nan if value is None else value for value in noise(count, count))])
    history = filled(noise(count, count))
    if history.stride > 1:
        history.flush()  # what is not yet in a bucket is shown step by step, up to the very end of the window
    chosen = random.Random(columns)
    for _ in range(30):
        start = chosen.randint(0, count)
        end = chosen.randint(start, count)
        curve = history.window("loss", start, end, columns)
        assert len(curve) <= columns
        stride = history.stride
        bounds = [*curve.steps.astype(int), (end // stride + 1) * stride]
        parts = [values[begin:until] for begin, until in pairwise(bounds)]
        finite = [part[np.isfinite(part)] for part in parts]
        np.testing.assert_array_equal(curve.count, [len(part) for part in finite])
        np.testing.assert_array_equal(curve.low, [min(part, default=math.nan) for part in finite])
        np.testing.assert_array_equal(curve.high, [max(part, default=math.nan) for part in finite])
        means = [part.mean() if len(part) else math.nan for part in finite]
        np.testing.assert_allclose(curve.mean, means, rtol=1e-9, atol=1e-12)


def test_a_window_begins_and_ends_where_it_should() -> None:
    """To the bucket, at whatever resolution its middle is shown."""
    history = filled([float(step) for step in range(1, 60_001)], buckets=BUCKETS)
    assert history.stride == 2
    curve = history.window("loss", 20_001, 50_000, 10)
    assert curve.steps[0] == curve.low[0] == 20_000
    assert curve.high[-1] == 50_001
    assert curve.count.sum() == 30_002


@pytest.mark.parametrize("at", [0, 1, 4000, 9998, 9999])
def test_a_spike_of_one_step_is_still_there(at: int) -> None:
    values: list[float | None] = [1.0] * 10_000
    values[at] = 1000.0
    history = filled(values)
    assert history.stride == 256
    curve = history.window("loss", 0, 10_000, 20)
    assert (curve.high > 1).sum() == 1
    spike = int(np.argmax(curve.high))
    assert curve.steps[spike] <= at + 1
    assert spike + 1 == len(curve) or at + 1 < curve.steps[spike + 1]


@pytest.mark.parametrize("gap", [None, math.nan, math.inf])
def test_a_gap_is_nan_and_spoils_nothing(gap: float | None) -> None:
    curve = filled([1.0, gap, 3.0]).window("loss", 0, 3, 80)
    np.testing.assert_array_equal(curve.mean, [1, math.nan, 3])
    np.testing.assert_array_equal(curve.low, [1, math.nan, 3])
    assert filled([1.0, gap, 3.0]).window("loss", 0, 3, 1).mean.tolist() == [2]
    assert np.isnan(filled([gap] * 500).window("loss", 0, 500, 8).high).all()


def test_what_is_measured_seldom_has_no_gaps_between() -> None:
    history = History(**SMALL)
    for step in range(1, 1001):
        history.add(step, {"loss": 1.0})
        if step % 250 == 0:
            history.add(step, {"val_loss": float(step)})
    assert whole(history, "val_loss") == [250, 500, 750, 1000]


def test_a_metric_may_come_at_any_time() -> None:
    history = filled([1.0] * 300)
    for step in range(301, 401):
        history.add(step, {"loss": 1.0, "new": 5.0})
    assert set(whole(history, "new")) == {5.0}
    assert history.window("new", 0, 400, 400).count.sum() == 100
    assert history.window("loss", 0, 400, 400).count.sum() == 400


def test_there_are_only_so_many_metrics() -> None:
    history = History(**SMALL)
    for step in range(1, 200):
        history.add(step, dict.fromkeys(NAMED, 1.0) | {f"metric {step}": 1.0})
    history.flush()
    assert len(history.metrics) == METRICS
    assert history.window("loss", 0, 200, 10).count.sum() == 199


def test_however_many_numbers_another_tool_has_those_of_every_run_have_a_row() -> None:
    history = History(**SMALL)
    for step in range(1, 200):
        history.add(step, {f"a {number}": 1.0 for number in range(64)} | {"loss": 2.0})
    history.add(200, {"val_loss": 3.0})
    history.flush()
    assert {"loss", "val_loss"} <= set(history.metrics)
    assert history.window("loss", 0, 200, 10).count.sum() == 199
    assert len(history.metrics) <= METRICS


def test_those_of_every_run_are_the_fields_of_a_step_and_of_an_evaluation() -> None:
    fields = {spec.name for spec in dataclasses.fields(Step)} - {"step", "time", "numbers"}
    assert {*fields, *EVALUATED, SMOOTHED} == NAMED


# -- what is dropped -----------------------------------------------------------------------------------------------


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


# -- readers -------------------------------------------------------------------------------------------------------


def test_a_window_does_not_change_later() -> None:
    history = filled([1.0, 2.0])
    curve = history.window("loss", 0, 9, 9)
    history.add(3, {"loss": 5.0})
    history.drop_after(1)
    history.flush()
    assert curve.mean.tolist() == [1, 2]


def test_readers_see_whole_changes_only() -> None:
    """While one thread appends, doubles the stride and drops, another finds no step twice, and none missing.

    Every value is its step's number.
    """
    history = History(buckets=32, batch=3)
    wrong: list[str] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            curve = history.window("loss", 0, 200, 1000)
            steps = curve.steps
            if not (curve.low >= steps).all():
                wrong.append(f"{curve.low} before {steps}")
            if curve.count.sum() != curve.high.max(initial=0):
                wrong.append(f"{curve.count.sum()} values up to {curve.high.max()}")

    reader = threading.Thread(target=read)
    reader.start()
    for first in [1, *[8] * 40]:
        history.drop_after(first - 1)
        for step in range(first, 200):
            history.add(step, {"loss": float(step)})
    over.set()
    reader.join(TIMEOUT)
    assert wrong == []
