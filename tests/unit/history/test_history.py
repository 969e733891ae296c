"""The history of metrics: what a window shows, against the values themselves."""

import dataclasses
import math
import random
import threading
from itertools import pairwise

import numpy as np
import pytest

from tests.unit.history.values import SMALL, filled, noise, whole
from tests.waiting import TIMEOUT
from tui_trainer.history.history import BUCKETS, METRICS, NAMED, History
from tui_trainer.history.measurements import EVALUATED
from tui_trainer.run.events import Step
from tui_trainer.state.run_state import HALF_LIVES

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
    evaluated = {metric for metrics in EVALUATED.values() for metric in metrics}
    assert {*fields, *evaluated, *HALF_LIVES, "elapsed"} == NAMED


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
