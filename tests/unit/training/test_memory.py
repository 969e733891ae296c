"""A device with too little memory: the same steps, in smaller pieces."""

import math
from pathlib import Path

import pytest
import torch

from tests.unit.training.faults import crowded
from tests.unit.training.helpers import (
    PRECISIONS,
    Resumed,
    only_run,
    run_to_end,
    small_config,
    small_model,
    small_stepper,
    stop_after,
    take,
)
from tui_trainer.config import Config
from tui_trainer.run.events import Alert, CheckpointSaved, RunStarted, Step
from tui_trainer.training.step.batch_loader import HostBatchLoader
from tui_trainer.training.step.precision import DTYPES
from tui_trainer.training.step.stepper import Stepper

PLAIN = {"dropout": 0.0, "token_masking": 0.0}
"""What is drawn at random depends on the size of the micro-batch; sequences do not."""

ROUNDINGS = 17
"""One after another in the small model: six in each of two layers, three norms and lookups outside, logits and loss."""

TOKENS = 4 * 8
"""Of a step."""


def tolerance(precision: str, loss: float) -> float:
    """How far apart two losses of the same weights and sequences may be, of batches that are summed in another order.

    Each of the roundings may then go to the other side: an error with a standard deviation of eps / sqrt(12) of a
    number's size, here that of the loss. They add up as independent errors do. A token's loss has them twice, in its
    own logit and in the sum over all; the mean over the tokens has less; two losses differ by more. Five deviations.
    """
    eps = torch.finfo(DTYPES[precision]).eps
    return 5 * math.sqrt(2 * 2 * ROUNDINGS / TOKENS / 12) * eps * loss


def sequences(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Every sequence that is trained on, in order."""
    take, taken = HostBatchLoader.take, list[tuple[int, ...]]()

    def take_and_note(self: HostBatchLoader, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, targets = take(self, index)
        taken.extend(map(tuple, inputs.tolist()))
        return inputs, targets

    monkeypatch.setattr(HostBatchLoader, "take", take_and_note)
    return taken


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_split_step_is_the_same_step(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = take(small_stepper(small_model(), batch_size=6), step=3)
    crowded(monkeypatch, most)
    split = small_stepper(small_model(), batch_size=6)
    for _ in range(3):  # 6, 3, 1
        try:
            result = take(split, step=3)
            break
        except MemoryError:
            assert split.split() is not None
    assert result.loss == pytest.approx(expected.loss, abs=tolerance("fp32", expected.loss))
    # A gradient has passed through every product once more on its way back.
    assert result.grad_norm == pytest.approx(expected.grad_norm, abs=2 * tolerance("fp32", expected.grad_norm))


@pytest.mark.parametrize(("size", "splits"), [(12, [6, 3, 1]), (8, [4, 2, 1]), (15, [5, 1]), (7, [1]), (1, [])])
def test_every_size_divides_the_one_before(size: int, splits: list[int]) -> None:
    stepper = small_stepper(small_model(), batch_size=size, accumulate=2)
    told = []
    while (sizes := stepper.split()) is not None:
        told.append(sizes)
    assert told == [(smaller, size * 2 // smaller) for smaller in splits]


def test_a_step_without_room_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calm = small_model(), small_model()
    stepper = small_stepper(model, accumulate=4)
    crowded(monkeypatch, most=2, after=2)  # the first half of the step has been computed by then
    with pytest.raises(MemoryError, match="CUDA out of memory"):
        stepper.take(0, 1e-2, lambda: False)
    assert stepper.results(wait=True) == []
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), calm.parameters(), strict=True))


def test_a_shortage_without_words_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Stepper, index: int) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Stepper, "_backward", fail)
    with pytest.raises(MemoryError):
        small_stepper(small_model()).take(0, 1e-2, lambda: False)


def test_what_is_no_shortage_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Stepper, index: int) -> None:
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(Stepper, "_backward", fail)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        small_stepper(small_model()).take(0, 1e-2, lambda: False)


# -- in a run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_run_goes_on_with_smaller_micro_batches(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    trained_on = sequences(monkeypatch)
    roomy = run_to_end(small_config(corpus, **PLAIN, precision=precision))
    expected = trained_on[:]
    trained_on.clear()
    asked = crowded(monkeypatch, most=2, after=8)
    tight = run_to_end(small_config(corpus, **PLAIN, precision=precision))
    (alert,) = tight.of(Alert)
    before = alert.step
    losses = [step.loss for step in tight.of(Step)]
    assert losses[:before] == [step.loss for step in roomy.of(Step)][:before]
    # Of the same weights. Those of later steps are not: what rounding differs by grows from step to step.
    expected_loss = roomy.of(Step)[before].loss
    assert losses[before] == pytest.approx(expected_loss, abs=tolerance(precision, expected_loss))
    del trained_on[4 * before : 4 * before + 4]  # which had no room, and were taken again
    assert trained_on == expected
    assert (alert.kind, alert.severity) == ("memory", "warning")
    assert "a step is now 2 micro-batches of 2, with the same sequences as before" in alert.message
    assert max(asked[asked.index(2) :]) > 2, "an evaluation, which has no gradients, is not split"
    assert tight.of(Step)[-1].tokens == roomy.of(Step)[-1].tokens


def test_a_resumed_run_keeps_to_the_smaller_ones(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowded(monkeypatch, most=2)
    run_to_end(small_config(corpus, accumulate=3), stop_after(5))
    session = Resumed(only_run(runs))
    session.run()
    assert [alert.kind for alert in session.of(Alert)] == ["resume"]
    assert session.of(RunStarted)[0].plan.tokens_per_step == 4 * 3 * 8
    settings = Config.from_toml(only_run(runs).config).optimizer
    assert (settings.batch_size, settings.accumulate) == (2, 6)


def test_a_single_sequence_that_does_not_fit_ends_the_run(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowded(monkeypatch, most=0, after=8)
    session = run_to_end(small_config(corpus))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.outcome.error.startswith("The device ran out of memory: use a smaller --context or --width.")
    assert [alert.kind for alert in session.of(Alert)] == ["memory", "memory"]
    assert session.of(CheckpointSaved)[-1].reason == "failed"
    assert session.of(CheckpointSaved)[-1].step == session.of(Step)[-1].step
