"""The learning rate of every step."""

import math
from itertools import pairwise

import pytest

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.config import SCHEDULES

LR, LOW = 2.0, 0.5


def rates(kind: str, steps: int = 101, warmup: int = 0, low: float = LOW) -> list[float]:
    schedule = Schedule(kind, LR, low, warmup, steps)
    return [schedule.at(step) for step in range(steps)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("constant", lambda t: 2.0),
        ("linear", lambda t: 2.0 - 1.5 * t),
        ("cosine", lambda t: 0.5 + 0.75 * (1 + math.cos(math.pi * t))),
        ("warmup-cosine", lambda t: 0.5 + 0.75 * (1 + math.cos(math.pi * t))),
        ("exponential", lambda t: 2.0 * 0.25**t),
        ("wsd", lambda t: 2.0 if t <= 0.4 else 2.0 - 1.5 * (t - 0.4) / 0.6),
    ],
)
def test_the_formulas(kind: str, expected: object) -> None:
    assert callable(expected)
    assert rates(kind) == pytest.approx([expected(step / 100) for step in range(101)])
    warm = rates(kind, steps=111, warmup=10)
    assert warm[10:] == pytest.approx([expected(step / 100) for step in range(101)])


def test_there_is_a_formula_for_every_name() -> None:
    assert all(rates(kind)[0] == LR for kind in SCHEDULES)
    with pytest.raises(AssertionError):
        rates("step")


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("warmup", [1, 7, 50])
def test_warmup_is_linear_and_ends_at_the_peak(kind: str, warmup: int) -> None:
    warm = rates(kind, warmup=warmup)[: warmup + 1]
    assert warm == pytest.approx([LR * (step + 1) / warmup for step in range(warmup)] + [LR])


@pytest.mark.parametrize("kind", [kind for kind in SCHEDULES if kind != "constant"])
@pytest.mark.parametrize("steps", [2, 10, 101])
@pytest.mark.parametrize("low", [0.0, LOW])
def test_the_last_step_has_the_lowest_rate(kind: str, steps: int, low: float) -> None:
    course = rates(kind, steps, low=low)
    floor = max(low, LR / 100) if kind == "exponential" else low
    assert course[-1] == pytest.approx(floor, abs=1e-12)
    assert min(course) == course[-1]


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 10, 997])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_up_once_then_down_and_never_out_of_range(kind: str, steps: int, part: float) -> None:
    warmup = int(steps * part)
    course = rates(kind, steps, warmup, low=0.0)
    assert all(0 <= rate <= LR for rate in course)
    assert all(a < b for a, b in pairwise(course[:warmup]))
    assert all(a >= b for a, b in pairwise(course[warmup:]))


@pytest.mark.parametrize("kind", SCHEDULES)
def test_past_the_end_the_rate_is_constant(kind: str) -> None:
    schedule = Schedule(kind, LR, LOW, 5, 50)
    assert schedule.at(50) == schedule.at(10**9) == schedule.at(49)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_single_step_is_taken_at_the_peak(kind: str) -> None:
    assert rates(kind, steps=1) == [LR]


def test_exponential_without_a_minimum_ends_at_a_hundredth() -> None:
    assert rates("exponential", low=0.0)[-1] == pytest.approx(LR / 100)


def test_a_factor_applies_to_the_steps_before_its_end() -> None:
    eased = Schedule("linear", LR, LOW, 0, 101, factor=0.5, until=40)
    plan = Schedule("linear", LR, LOW, 0, 101)
    assert [eased.at(step) / plan.at(step) for step in (0, 39, 40, 100)] == [0.5, 0.5, 1, 1]
