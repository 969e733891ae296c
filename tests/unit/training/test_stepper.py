"""One optimizer step."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.training.helpers import run_to_end, small_config, small_model, small_optimizer, tokens
from tui_trainer.corpus.batches import Batches
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import Alert, Evaluation, Sample, Step
from tui_trainer.training.optimizer import make_optimizer
from tui_trainer.training.stepper import Stepper, StepResult


def never() -> bool:
    return False


def stepper(
    model: Transformer, batch_size: int = 4, accumulate: int = 1, clip: float = 0.0, data: np.ndarray | None = None
) -> Stepper:
    batches = Batches(tokens(2000) if data is None else data, 8, batch_size, seed=1)
    return Stepper(model, small_optimizer(model), batches, accumulate, clip, seed=1)


def take(stepper: Stepper, step: int = 0, lr: float = 1e-2) -> StepResult:
    result = stepper.take(step, lr, never)
    assert result is not None
    return result


def weights(model: Transformer) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def gradients(model: Transformer) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def test_four_small_batches_are_one_large_one() -> None:
    small, large = small_model(), small_model()
    one, other = stepper(small, batch_size=8, accumulate=4), stepper(large, batch_size=32)
    for step in range(3):
        a, b = take(one, step), take(other, step)
        assert a.loss == pytest.approx(b.loss, rel=1e-6)
        assert a.grad_norm == pytest.approx(b.grad_norm, rel=1e-5)
        torch.testing.assert_close(gradients(small), gradients(large), rtol=1e-4, atol=1e-6)


def test_the_results_are_those_of_the_formulas() -> None:
    model = small_model()
    inputs, targets = Batches(tokens(2000), 8, 4, seed=1).batch(3)
    loss = model.loss(torch.from_numpy(inputs), torch.from_numpy(targets))
    loss.backward()  # type: ignore[no-untyped-call]
    expected_norm = gradients(model).norm().item()
    expected_weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).norm().item()
    result = take(stepper(model), step=3)
    assert result.loss == pytest.approx(loss.item(), rel=1e-6)
    assert result.grad_norm == pytest.approx(expected_norm, rel=1e-5)
    assert result.weight_norm == pytest.approx(expected_weights, rel=1e-5)


def test_one_batch_is_learned_by_heart() -> None:
    model = small_model()
    one_batch = stepper(model, batch_size=1, data=tokens(9))  # a single window
    losses = [take(one_batch, step, lr=3e-2).loss for step in range(80)]
    assert losses[0] > 1.5
    assert losses[-1] < 0.05


def test_clipping_shortens_a_long_gradient_and_reports_its_length() -> None:
    free, clipped, loose = small_model(), small_model(), small_model()
    length = take(stepper(free)).grad_norm
    assert take(stepper(clipped, clip=length / 10)).grad_norm == length
    assert gradients(clipped).norm().item() == pytest.approx(length / 10, rel=1e-3)
    torch.testing.assert_close(gradients(clipped) * 10, gradients(free), rtol=1e-3, atol=1e-6)
    take(stepper(loose, clip=length * 10))
    torch.testing.assert_close(gradients(loose), gradients(free), rtol=0, atol=0)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_step_that_is_not_finite_leaves_everything_as_it_was(poison: float) -> None:
    model = small_model()
    optimizer = small_optimizer(model)
    taker = Stepper(model, optimizer, Batches(tokens(2000), 8, 4, seed=1), 1, 1.0, seed=1)
    take(taker)
    with torch.no_grad():
        model.lm_head.weight[0, 0] = poison
    before = weights(model)
    moments = {name: optimizer.state[parameter]["exp_avg"].clone() for name, parameter in model.named_parameters()}
    assert not take(taker, step=1).finite
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.nan_to_num(), before[name].nan_to_num()), name
        assert torch.equal(optimizer.state[parameter]["exp_avg"], moments[name]), name


def test_an_interrupted_step_leaves_no_trace() -> None:
    model, calm = small_model(), small_model()
    answers = iter([False, False, True])
    interrupted = stepper(model, accumulate=4)
    assert interrupted.take(0, 1e-2, lambda: next(answers)) is None
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), calm.parameters(), strict=True))
    again, expected = take(interrupted), take(stepper(calm, accumulate=4))
    assert (again.loss, again.grad_norm) == (expected.loss, expected.grad_norm)


def test_a_step_depends_on_its_number_and_nothing_random_in_between() -> None:
    """Dropout too: whatever a sample or a pause draws, the next step is the same."""
    first, second = small_model(dropout=0.5).train(), small_model(dropout=0.5).train()
    a = take(stepper(first), step=7)
    torch.rand(100)
    b = take(stepper(second), step=7)
    assert (a.loss, a.grad_norm) == (b.loss, b.grad_norm)
    other = take(stepper(small_model(dropout=0.0).train()), step=7)
    assert a.loss != other.loss


def test_dropout_differs_from_step_to_step() -> None:
    one_window = tokens(9)
    losses = {
        take(stepper(small_model(dropout=0.5).train(), batch_size=1, data=one_window), step).loss for step in range(5)
    }
    assert len(losses) == 5


def test_only_matrices_decay() -> None:
    """Without gradients, decay is all that moves a weight: by lr times decay of itself."""
    model = small_model()
    optimizer = make_optimizer(model, lr=0.1, weight_decay=0.5)
    before = weights(model)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        factor = 1.0 if "norm" in name else 1 - 0.1 * 0.5
        torch.testing.assert_close(parameter.detach(), before[name] * factor, msg=name)


def test_every_parameter_is_trained_once() -> None:
    model = small_model()
    groups = make_optimizer(model, 1e-3, 0.1).param_groups
    trained = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(trained) == sorted(id(parameter) for parameter in model.parameters())


# -- the trainer's guard -------------------------------------------------------------------------------------------


def poisoned(monkeypatch: pytest.MonkeyPatch, steps: set[int]) -> None:
    """Make the loss of these steps (from 0) infinite."""
    take_step = Stepper.take

    def take_poisoned(self: Stepper, step: int, lr: float, interrupted: object) -> StepResult | None:
        model = self._model
        loss = Transformer.loss
        if step in steps:
            model.loss = lambda *ids: loss(model, *ids) * math.inf  # type: ignore[method-assign, assignment]
        try:
            return take_step(self, step, lr, interrupted)  # type: ignore[arg-type]
        finally:
            model.__dict__.pop("loss", None)

    monkeypatch.setattr(Stepper, "take", take_poisoned)


def test_a_skipped_update_is_an_alert_and_a_gap(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {4, 6})
    session = run_to_end(small_config(corpus))
    assert session.snapshot().state == "finished"
    assert [(alert.step, alert.kind, alert.severity) for alert in session.of(Alert)] == [
        (5, "divergence", "error"),
        (7, "divergence", "error"),
    ]
    skipped = session.of(Step)[4]
    assert skipped.loss is None
    assert skipped.grad_norm is None
    assert math.isfinite(skipped.weight_norm)
    assert session.of(Step)[5].weight_norm == skipped.weight_norm
    assert all(event.train_loss is not None and math.isfinite(event.train_loss) for event in session.of(Evaluation))


def test_ten_skipped_updates_in_a_row_are_a_failure(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {1, *range(5, 15)})
    session = run_to_end(small_config(corpus, steps=100))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.snapshot().step == 15
    assert "not finite for 10 steps in a row" in session.outcome.error
    assert "--lr" in session.outcome.error


def test_a_model_beyond_numbers_fails_with_advice(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its samples and validations, due all the while, must not fail first with something else."""
    take_step = Stepper.take

    def take_and_break(self: Stepper, step: int, lr: float, interrupted: object) -> StepResult | None:
        if step == 3:
            with torch.no_grad():
                self._model.lm_head.weight.fill_(math.nan)
        return take_step(self, step, lr, interrupted)  # type: ignore[arg-type]

    monkeypatch.setattr(Stepper, "take", take_and_break)
    session = run_to_end(small_config(corpus, sample_every=1, eval_every=1, steps=100))
    assert session.outcome is not None
    assert session.outcome.error.startswith("The loss was not finite for 10 steps in a row")
    assert session.of(Evaluation)[-1].val_loss is None
    assert session.of(Evaluation)[-1].perplexity is None
    assert session.of(Sample)[-1].step > 3
