"""One optimizer step."""

import math

import pytest
import torch

from tests.unit.training.helpers import small_model, small_stepper, take, tokens
from tui_trainer.corpus.batches import Batches
from tui_trainer.model.transformer import Transformer

KINDS = ["adamw", "muon"]


def weights(model: Transformer) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def gradients(model: Transformer) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def test_four_small_batches_are_one_large_one() -> None:
    small, large = small_model(), small_model()
    one, other = small_stepper(small, batch_size=8, accumulate=4), small_stepper(large, batch_size=32)
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
    result = take(small_stepper(model), step=3)
    assert result.loss == pytest.approx(loss.item(), rel=1e-6)
    assert result.grad_norm == pytest.approx(expected_norm, rel=1e-5)
    assert result.weight_norm == pytest.approx(expected_weights, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_one_batch_is_learned_by_heart(kind: str) -> None:
    one_batch = small_stepper(small_model(), batch_size=1, data=tokens(9), kind=kind)  # a single window
    losses = [take(one_batch, step, lr=3e-3).loss for step in range(60)]
    assert losses[0] > 1.5
    assert losses[-1] < 0.05


def test_clipping_shortens_a_long_gradient_and_reports_its_length() -> None:
    free, clipped, loose = small_model(), small_model(), small_model()
    length = take(small_stepper(free)).grad_norm
    assert take(small_stepper(clipped, clip=length / 10)).grad_norm == length
    assert gradients(clipped).norm().item() == pytest.approx(length / 10, rel=1e-3)
    torch.testing.assert_close(gradients(clipped) * 10, gradients(free), rtol=1e-3, atol=1e-6)
    take(small_stepper(loose, clip=length * 10))
    torch.testing.assert_close(gradients(loose), gradients(free), rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_step_that_is_not_finite_leaves_everything_as_it_was(poison: float, kind: str) -> None:
    model = small_model()
    stepper = small_stepper(model, clip=1.0, kind=kind)
    take(stepper)
    with torch.no_grad():
        model.lm_head.weight[0, 0] = poison
    before, remembered = weights(model), {name: tensor.clone() for name, tensor in stepper.state().items()}
    assert not take(stepper, step=1).finite
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.nan_to_num(), before[name].nan_to_num()), name
    for name, tensor in stepper.state().items():
        assert torch.equal(tensor, remembered[name]), name


def test_an_interrupted_step_leaves_no_trace() -> None:
    model, calm = small_model(), small_model()
    answers = iter([False, False, True])
    interrupted = small_stepper(model, accumulate=4)
    assert not interrupted.take(0, 1e-2, lambda: next(answers))
    assert interrupted.results(wait=True) == []
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), calm.parameters(), strict=True))
    again, expected = take(interrupted), take(small_stepper(calm, accumulate=4))
    assert (again.loss, again.grad_norm) == (expected.loss, expected.grad_norm)


def test_a_step_depends_on_its_number_and_nothing_random_in_between() -> None:
    """Dropout too: whatever a sample or a pause draws, the next step is the same."""
    first, second = small_model(dropout=0.5).train(), small_model(dropout=0.5).train()
    a = take(small_stepper(first), step=7)
    torch.rand(100)
    b = take(small_stepper(second), step=7)
    assert (a.loss, a.grad_norm) == (b.loss, b.grad_norm)
    other = take(small_stepper(small_model(dropout=0.0).train()), step=7)
    assert a.loss != other.loss


def test_masking_depends_on_the_step_alone_too() -> None:
    losses = []
    for _ in range(2):
        torch.rand(100)
        losses.append(take(small_stepper(small_model(), masking=0.5), step=7).loss)
    assert losses[0] == losses[1] != take(small_stepper(small_model()), step=7).loss


def test_dropout_differs_from_step_to_step() -> None:
    one_window = tokens(9)
    losses = {
        take(small_stepper(small_model(dropout=0.5).train(), batch_size=1, data=one_window), step).loss
        for step in range(5)
    }
    assert len(losses) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_stepper_goes_on_from_what_another_remembers(kind: str) -> None:
    one, other = small_model(), small_model(seed=2)
    first, second = small_stepper(one, kind=kind), small_stepper(other, kind=kind)
    take(first, 0)
    other.load_state_dict(one.state_dict())
    second.load({name: tensor.clone() for name, tensor in first.state().items()})
    assert take(first, 1).loss == take(second, 1).loss
    assert all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(one).items())
