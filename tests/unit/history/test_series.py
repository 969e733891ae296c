"""Bounded metric history."""

import math

import numpy as np
import pytest

from tui_trainer.analysis.smoothing import Smoother
from tui_trainer.history.series import EMPTY_CURVE, Series


def series(values: list[float | None], capacity: int = 16) -> Series:
    """One value a step, from step 1."""
    filled = Series(capacity)
    for step, value in enumerate(values, start=1):
        filled.append(step, value)
    return filled


def test_few_points_are_kept_as_they_are() -> None:
    curve = series([3.0, 1.0, 2.0]).curve()
    assert curve.steps.tolist() == [1, 2, 3]
    assert curve.low.tolist() == curve.high.tolist() == curve.mean.tolist() == [3, 1, 2]


def test_nothing_is_an_empty_curve() -> None:
    assert len(Series().curve()) == len(EMPTY_CURVE) == 0


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 33, 100, 255, 256, 257, 1000, 4321])
def test_buckets_are_exact(count: int) -> None:
    """Whatever the count: equally many points each but for the last, none lost, extremes and mean as numpy's."""
    values = np.random.default_rng(count).normal(size=count)
    curve = series(values.tolist()).curve()
    assert len(curve) <= 16
    starts = curve.steps.astype(int) - 1
    assert starts[0] == 0
    assert len({*np.diff(starts)}) <= 1
    ends = [*starts[1:], count]
    parts = [values[start:end] for start, end in zip(starts, ends, strict=True)]
    np.testing.assert_array_equal(curve.low, [part.min() for part in parts])
    np.testing.assert_array_equal(curve.high, [part.max() for part in parts])
    np.testing.assert_allclose(curve.mean, [part.mean() for part in parts], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("at", [0, 1, 4000, 9998, 9999])
def test_a_spike_of_one_step_outlives_many_halvings(at: int) -> None:
    values: list[float | None] = [1.0] * 10_000
    values[at] = 1000.0
    curve = series(values).curve()
    assert curve.high.max() == 1000.0
    assert (curve.high > 1).sum() == 1
    spike = int(np.argmax(curve.high))
    assert curve.steps[spike] <= at + 1
    assert spike + 1 == len(curve) or at + 1 < curve.steps[spike + 1]


def test_memory_is_bounded() -> None:
    filled = series([1.0] * 100_000, capacity=64)
    assert 32 <= len(filled.curve()) <= 64


@pytest.mark.parametrize("gap", [None, math.nan, math.inf, -math.inf])
def test_a_gap_is_nan_and_spoils_nothing(gap: float | None) -> None:
    curve = series([1.0, gap, 3.0]).curve()
    np.testing.assert_array_equal(curve.mean, [1, math.nan, 3])
    np.testing.assert_array_equal(curve.low, [1, math.nan, 3])
    curve = series(([1.0, gap] * 8 + [gap, gap] * 8) * 2).curve()
    assert set(curve.mean[~np.isnan(curve.mean)].tolist()) == {1.0}
    assert np.isnan(curve.mean).any()


def test_a_curve_does_not_change_later() -> None:
    filled = series([1.0, 2.0])
    curve = filled.curve()
    filled.append(3, 5.0)
    filled.drop_after(1)
    assert curve.mean.tolist() == [1, 2]


def test_what_comes_after_a_step_is_dropped() -> None:
    filled = series([float(step) for step in range(1, 11)])
    filled.drop_after(10)
    assert filled.curve().mean.tolist() == list(range(1, 11))
    filled.drop_after(7)
    assert filled.curve().mean.tolist() == list(range(1, 8))
    filled.append(8, 80.0)
    assert filled.curve().mean.tolist() == [*range(1, 8), 80]
    filled.drop_after(0)
    assert len(filled.curve()) == 0
    filled.append(1, 5.0)
    assert filled.curve().mean.tolist() == [5]


@pytest.mark.parametrize("count", [17, 33, 100, 1000, 1023])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_long_series_goes_on_after_a_drop(count: int, part: float) -> None:
    filled = series([1.0] * count)
    last = int(count * part)
    filled.drop_after(last)
    kept = filled.curve().steps
    assert (kept <= last).all()
    for step in range(last + 1, count + 1):
        filled.append(step, 2.0)
    curve = filled.curve()
    assert len(curve) <= 16
    assert (np.diff(curve.steps) > 0).all()
    assert curve.high[-1] == 2.0


def test_the_average_of_a_constant_is_the_constant() -> None:
    smoother = Smoother(half_life=10)
    assert [smoother.update(5.0) for _ in range(100)] == pytest.approx([5.0] * 100)


def test_the_average_has_no_bias_at_its_start() -> None:
    """Weights halve every half-life and add up to one."""
    values = np.random.default_rng(1).normal(size=50)
    smoother = Smoother(half_life=4)
    for count in range(1, 51):
        weights = 0.5 ** (np.arange(count)[::-1] / 4)
        assert smoother.update(values[count - 1]) == pytest.approx((weights * values[:count]).sum() / weights.sum())


@pytest.mark.parametrize("gap", [None, math.nan, math.inf])
def test_a_gap_does_not_move_the_average(gap: float | None) -> None:
    smoother = Smoother(half_life=4)
    assert smoother.update(gap) is None
    smoother.update(1.0)
    average = smoother.update(2.0)
    assert smoother.update(gap) == average
    assert smoother.update(average) == pytest.approx(average)
