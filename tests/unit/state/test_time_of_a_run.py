"""The clock of a run: what counts as elapsed, and the time left."""

from dataclasses import replace

import pytest

from tests.unit.state.folded import BEGUN, evaluation, look, sample, started, state, step
from tui_trainer.run.codec import decode
from tui_trainer.run.events import Activity, Event
from tui_trainer.state.pace import TimeLeft


def test_elapsed_counts_what_lies_between_steps_too() -> None:
    assert look(*BEGUN, step(1), step(2), step(3)).elapsed == 3.0


def test_elapsed_leaves_out_pauses() -> None:
    snapshot = look(*BEGUN, step(1), step(2), state("paused", 102.5, 2), state("running", 900.0, 2), step(3, 901.0))
    assert snapshot.elapsed == 2.5 + 1.0


def test_elapsed_leaves_out_the_waits_between_single_steps() -> None:
    snapshot = look(*BEGUN, step(1), state("paused", 101.5, 1), step(2, 500.0), step(3, 900.0), step(4, 901.0))
    assert snapshot.elapsed == 1.5 + 3 * 0.5


def test_elapsed_leaves_out_the_time_between_stop_and_resume() -> None:
    snapshot = look(
        *BEGUN,
        step(1),
        state("stopped", 101.5, 1),
        state("loading", 5000.0),
        started(step=1, time=5000.0),
        state("running", 5001.0, 1),
        step(2, 5002.0),
    )
    assert snapshot.elapsed == 1.5 + 1.0


def test_elapsed_goes_on_while_the_end_is_evaluated_and_sampled() -> None:
    told = replace(evaluation(1, 2.0, best=True), time=140.0), replace(sample(1, "a"), time=170.0)
    assert [look(*BEGUN, step(1), *told[:count]).elapsed for count in range(3)] == [1.0, 40.0, 70.0]
    assert look(*BEGUN, step(1), *told, state("finished", 175.0, 1)).elapsed == 75.0


@pytest.mark.parametrize("later", [state("failed", 130.0, 1), state("loading", 130.0), started(step=1, time=130.0)])
def test_elapsed_leaves_out_how_long_nobody_noticed_that_the_trainer_had_vanished(later: Event) -> None:
    assert look(*BEGUN, step(1), later).elapsed == 1.0


def test_what_is_done_beside_steps_is_known_until_it_is_over() -> None:
    begun = [*BEGUN, step(1), Activity(step=1, doing="validating")]
    assert look(*begun).activity == "validating"
    for over in (Activity(step=1, doing=""), state("finished", 110.0, 1), state("paused", 110.0, 1)):
        assert look(*begun, over).activity == ""


def test_a_clock_set_back_does_not_shorten_the_run() -> None:
    """Nor what is left of it: the step is known to have taken half a second."""
    snapshot = look(*BEGUN, step(1), *(step(number, time=48.0 + number) for number in range(2, 8)))
    assert snapshot.elapsed == 1.0 + 0.5 + 5.0
    assert snapshot.time_left is not None and snapshot.time_left.seconds == 93.0


def test_the_time_left_is_what_the_steps_took() -> None:
    assert look(*BEGUN, *(step(number) for number in range(1, 41))).time_left == TimeLeft(60.0, 60.0, 60.0)
    assert look(*BEGUN, *(step(number) for number in range(1, 101))).time_left == TimeLeft(0.0, 0.0, 0.0)
    snapshot = look(*BEGUN, step(1), step(2))
    assert (snapshot.step_seconds, snapshot.tokens_per_second) == pytest.approx((0.5, 1536.0))


@pytest.mark.parametrize("taken", [0, 1, 4])
def test_there_is_no_telling_the_time_left_before_some_steps(taken: int) -> None:
    assert look(*BEGUN, *(step(number) for number in range(1, taken + 1))).time_left is None


@pytest.mark.parametrize("end", ["finished", "stopped", "failed"])
def test_a_run_that_has_ended_has_no_time_left(end: str) -> None:
    assert look(*BEGUN, *(step(number) for number in range(1, 41)), state(end, 150.0, 40)).time_left is None


def test_without_times_the_clock_goes_by_the_seconds_of_the_steps() -> None:
    taken = [f'{{"event": "step", "step": {number}, "loss": 4, "step_seconds": 2}}' for number in range(1, 11)]
    told = ['{"event": "run", "run": "x", "steps": 100}', *taken]
    now = look(*(event for line in told if (event := decode(line)) is not None))
    assert now.elapsed == pytest.approx(20.0) and now.time_left is not None and now.time_left.seconds == 180.0
