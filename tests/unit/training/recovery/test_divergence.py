"""What the detector takes for trouble, and what not."""

import math
import random

import pytest

from tui_trainer.training.recovery.divergence import MAX_OVERFLOWS, MAX_SKIPPED, SUSTAINED, DivergenceDetector
from tui_trainer.training.step.stepper import StepResult

VOCAB_SIZE, CLIP = 10**9, 0.0
"""With which nothing is worse than guessing, and nothing clipped."""


def result(step: int, loss: float, grad_norm: float = 1.0) -> StepResult:
    return StepResult(step, lr=1e-3, loss=loss, grad_norm=grad_norm, weight_norm=1.0, seconds=0.01)


def new(precision: str = "fp32") -> DivergenceDetector:
    return DivergenceDetector(precision, VOCAB_SIZE, CLIP)


def settled(precision: str = "fp32") -> DivergenceDetector:
    """A detector that has seen a run fall from 4 to 2 nats with the usual noise."""
    detector, noise = new(precision), random.Random(1)
    for step in range(300):
        loss = 2 + 2 * math.exp(-step / 40) + noise.gauss(0, 0.1)
        assert detector.update(result(step, loss, math.exp(noise.gauss(0, 0.3)))) == ""
    return detector


def verdicts(detector: DivergenceDetector, losses: list[float], grad_norm: float = 1.0) -> list[str]:
    return [detector.update(result(300 + number, loss, grad_norm)) for number, loss in enumerate(losses)]


def test_a_usual_run_is_left_alone() -> None:
    assert settled().healthy


def test_a_spike_of_one_step_is_an_odd_batch() -> None:
    detector = settled()
    assert verdicts(detector, [9.0, 2.0, 9.0, 2.0, 9.0, 2.0, 2.0]) == [""] * 7
    assert detector.healthy


def test_a_loss_that_stays_up_is_trouble() -> None:
    told = verdicts(settled(), [9.0] * SUSTAINED)
    assert told[:-1] == [""] * (SUSTAINED - 1)
    assert "loss was far above its usual" in told[-1]


def test_a_gradient_that_stays_up_is_trouble() -> None:
    assert "gradient norm was far above" in verdicts(settled(), [2.0] * SUSTAINED, grad_norm=500.0)[-1]


def test_a_slow_rise_is_not() -> None:
    assert not any(verdicts(settled(), [2 + 0.005 * step for step in range(400)]))


@pytest.mark.parametrize(("precision", "limit"), [("fp32", MAX_SKIPPED), ("fp16", MAX_OVERFLOWS)])
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_losses_that_are_not_finite_in_a_row_are_trouble(precision: str, limit: int, loss: float) -> None:
    told = verdicts(settled(precision), [loss] * limit)
    assert told[:-1] == [""] * (limit - 1)
    assert told[-1] == f"loss or its gradient was not finite for {limit} steps"


def test_a_young_run_is_not_judged_by_its_spread() -> None:
    detector = new()
    assert not any(detector.update(result(step, loss)) for step, loss in enumerate([1.0] * 10 + [50.0] * 20))


def test_what_it_knows_outlives_a_resume() -> None:
    detector, other = settled(), new()
    other.load(detector.state())
    losses = [2.1, 9.0, 2.0, 8.0, 9.0, 9.0, 9.0, 9.0]
    assert verdicts(other, losses) == verdicts(detector, losses)
    assert other.state() == detector.state()


def test_after_a_reset_spikes_are_counted_from_zero() -> None:
    detector = settled()
    verdicts(detector, [math.nan] * (MAX_SKIPPED - 1))
    detector.reset()
    assert verdicts(detector, [math.nan] * (MAX_SKIPPED - 1)) == [""] * (MAX_SKIPPED - 1)


def test_what_is_worse_than_guessing_does_not_become_usual() -> None:
    """An explosion in the first steps would else hide all that comes after it."""
    detector = DivergenceDetector("fp32", vocab_size=57, clip=0.0)
    for step in range(40):
        assert detector.update(result(step, 500.0 + step, grad_norm=1e5)) == ""
    for step in range(40, 140):
        assert detector.update(result(step, 2.0 + 0.01 * (step % 2))) == ""
    assert "loss was far above its usual" in verdicts(detector, [4.5] * SUSTAINED)[-1]


def test_a_checkpoint_from_before_a_count_was_kept_is_taken_up() -> None:
    detector, old = new(), settled().state()
    kept = {key: value for key, value in old.items() if not key.startswith(("guessing.", "clipping."))}
    assert kept != old
    detector.load(kept)
    assert detector.state() == {**kept, **dict.fromkeys(old.keys() - kept.keys(), 0.0)}
