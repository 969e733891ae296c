"""The time that the steps to come take, and how certain that is."""

import pytest

from tui_trainer.state.pace import BLOCKS, RECENT, Pace, TimeLeft


def paced(*intervals: float, step_seconds: float | None = 1.0) -> Pace:
    pace = Pace()
    for interval in intervals:
        pace.add(interval, step_seconds)
    return pace


def left(pace: Pace, steps: int = 100) -> TimeLeft:
    found = pace.left(steps)
    assert found is not None
    return found


def test_steady_steps_leave_no_doubt() -> None:
    assert str(left(paced(*[1.0] * 40), 130)) == "2m10s"


def test_a_slower_machine_is_told_within_the_last_steps_and_makes_it_uncertain() -> None:
    slower = paced(*[1.0] * 200, *[2.0] * 20, step_seconds=None)
    assert left(slower, 90).seconds == pytest.approx(180, rel=0.1) and str(left(slower, 90)) == "1 to 3m"
    for _ in range(RECENT * (BLOCKS + 1)):
        slower.add(2.0, 2.0)
    assert str(left(slower, 90)).startswith("3m")


def test_single_slow_steps_change_nothing() -> None:
    pace = Pace()
    for number in range(64):
        pace.add(*((30.0, 30.0) if number % 10 == 5 else (1.0, 1.0)))
    assert left(pace) == TimeLeft(100.0, 100.0, 100.0)


def test_evaluations_between_steps_count_as_often_as_they_come() -> None:
    pace = paced(*[11.0 if number % 50 == 0 else 1.0 for number in range(1, 201)])
    assert left(pace).seconds == pytest.approx(100 * (1 + 10 / 50))
    assert str(left(pace, 1_000)) == "20m00s"


def test_a_young_run_has_not_seen_everything() -> None:
    assert paced(*[1.0] * 4).left(100) is None
    assert str(left(paced(9.0, *[1.0] * 10), 100)).startswith("1 to 3m")
    assert str(left(paced(*[1.0] * 10), 3)) == "3s"


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [(20, 39.5, "20 to 40s"), (70, 150, "1 to 3m"), (10, 100, "up to 2m"), (4_000, 9_000, "1 to 3h")],
)
def test_the_limits_have_the_unit_of_the_longer(least: float, most: float, words: str) -> None:
    assert str(TimeLeft((least + most) / 2, least, most)) == words
