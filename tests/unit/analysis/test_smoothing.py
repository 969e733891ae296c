"""Exponential moving averages."""

import math

import numpy as np
import pytest

from tui_trainer.analysis.smoothing import Smoother


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
