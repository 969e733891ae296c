"""The optimizer of a model: every parameter is updated, by one of its parts."""

import pytest
import torch
from torch import Tensor

from tests.unit.training.helpers import small_model
from tui_trainer.model.transformer import Transformer
from tui_trainer.training.step.optimizer import make_optimizer

KINDS = ["adamw", "muon"]
APPLY, SKIP = torch.tensor(0.0), torch.tensor(1.0)


def with_gradients(model: Transformer, size: float = 1.0) -> dict[str, Tensor]:
    """Give every parameter a gradient; the parameters as they are, copied."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator) * size
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "heads"), [(2, 1), (16, 2), (48, 3), (160, 5)])
def test_every_parameter_is_updated(kind: str, width: int, heads: int) -> None:
    model = small_model(width=width, heads=heads)
    before = with_gradients(model)
    make_optimizer(model, kind, 0.1).step(1e-2, APPLY)
    for name, parameter in model.named_parameters():
        assert (parameter != before[name]).any(dim=-1).all(), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "heads"), [(2, 1), (16, 2), (48, 3)])
def test_no_parameter_is_updated_twice(kind: str, width: int, heads: int) -> None:
    """As what is remembered has one mean of the gradient for each number in the model."""
    model = small_model(width=width, heads=heads)
    optimizer = make_optimizer(model, kind, 0.1)
    with_gradients(model)
    optimizer.step(1e-2, APPLY)
    means = [tensor for name, tensor in optimizer.state().items() if name.endswith(".exp_avg") or "momentum" in name]
    assert sum(tensor.numel() for tensor in means) == model.parameter_count


@pytest.mark.parametrize("kind", KINDS)
def test_the_matrices_in_the_layers_decay_and_norms_do_not(kind: str) -> None:
    """Without gradients, decay is all that moves a weight."""
    model = small_model()
    before = with_gradients(model, size=0)
    make_optimizer(model, kind, weight_decay=0.5).step(1e-3, APPLY)
    for name, parameter in model.named_parameters():
        moved = before[name] - parameter.detach()
        if "norm" in name:
            assert not moved.any(), name
        elif ".layers." in name:
            share = moved / before[name]
            assert share.mean() > 1e-4, name
            torch.testing.assert_close(share, share.mean().expand_as(share), rtol=0.1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_decay_is_none(kind: str) -> None:
    model = small_model()
    before = with_gradients(model, size=0)
    make_optimizer(model, kind, weight_decay=0).step(1e-2, APPLY)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_of_zero_changes_nothing(kind: str) -> None:
    """So a machine can be measured by steps of a model."""
    model = small_model()
    before = with_gradients(model)
    make_optimizer(model, kind, 0.1).step(0.0, APPLY)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_skipped_step_changes_nothing(kind: str) -> None:
    model = small_model()
    before = with_gradients(model, size=torch.nan)
    make_optimizer(model, kind, 0.1).step(1e-2, SKIP)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_another_goes_on_from_what_one_remembers(kind: str) -> None:
    one, other = small_model(), small_model(seed=2)
    first, second = make_optimizer(one, kind, 0.1), make_optimizer(other, kind, 0.1)
    with_gradients(one)
    first.step(1e-2, APPLY)
    other.load_state_dict(one.state_dict())
    second.load({name: tensor.clone() for name, tensor in first.state().items()})
    for model, optimizer in ((one, first), (other, second)):
        with_gradients(model)
        optimizer.step(1e-2, APPLY)
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())
    assert first.state().keys() == second.state().keys()
    assert all(torch.equal(tensor, second.state()[name]) for name, tensor in first.state().items())


def test_what_another_kind_remembers_does_not_fit() -> None:
    with pytest.raises(KeyError):
        make_optimizer(small_model(), "muon", 0.1).load(make_optimizer(small_model(), "adamw", 0.1).state())
