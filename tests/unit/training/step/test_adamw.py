"""AdamW over groups, against PyTorch's own."""

import math

import pytest
import torch
from torch import Tensor

from tui_trainer.training.step.adamw import BETAS, AdamW, Group

APPLY, SKIP = torch.tensor(0.0), torch.tensor(1.0)
SIZES = {"matrix": (5, 3), "embedding": (7, 2), "norm": (4,)}


def random(*size: int, seed: int = 1) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


class Adam:
    """Three parameters, each in a group of its own."""

    def __init__(self) -> None:
        self.parameters = {name: random(*size).requires_grad_() for name, size in SIZES.items()}
        matrix, embedding, norm = ({name: parameter} for name, parameter in self.parameters.items())
        self.own = AdamW([Group(matrix, 0.5, 0.1), Group(embedding, 4.0, 0.2), Group(norm, 1.0, 0.0)])

    def give_gradients(self, seed: int) -> None:
        for parameter in self.parameters.values():
            parameter.grad = random(*parameter.shape, seed=seed)

    def step(self, seed: int, lr: float = 0.01) -> None:
        self.give_gradients(seed)
        self.own.prepare(lr, APPLY)()

    def held(self) -> dict[str, Tensor]:
        """Parameters and what is remembered of them, copied."""
        tensors = {**self.parameters, **self.own.state()}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_it_is_adamw_with_a_rate_for_each_group() -> None:
    ours, theirs = Adam(), Adam()
    matrix, embedding, norm = theirs.parameters.values()
    groups = [
        {"params": [matrix], "weight_decay": 0.1},
        {"params": [embedding], "weight_decay": 0.2},
        {"params": [norm], "weight_decay": 0.0},
    ]
    reference = torch.optim.AdamW(groups, betas=BETAS, foreach=False)
    for step, lr in enumerate((0.01, 0.03, 0.02, 0.001)):
        ours.step(seed=step, lr=lr)
        theirs.give_gradients(step)
        for group, factor in zip(reference.param_groups, (0.5, 4.0, 1.0), strict=True):
            group["lr"] = lr * factor
        reference.step()
        for name, parameter in ours.parameters.items():
            torch.testing.assert_close(parameter, theirs.parameters[name], msg=name)


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_skipped_step_changes_nothing(poison: float, steps: int) -> None:
    adam, calm = Adam(), Adam()
    for seed in range(steps):
        adam.step(seed)
        calm.step(seed)
    for parameter in adam.parameters.values():
        parameter.grad = torch.full_like(parameter, poison)
    adam.own.prepare(0.01, SKIP)()
    if steps:
        assert same(adam.held(), calm.held())
    adam.step(5)
    calm.step(5)
    assert same(adam.held(), calm.held())


def test_it_goes_on_from_what_it_remembers() -> None:
    adam, copy = Adam(), Adam()
    for seed in range(3):
        adam.step(seed)
    with torch.no_grad():
        for name, parameter in copy.parameters.items():
            parameter.copy_(adam.parameters[name])
    copy.own.load({name: tensor.clone() for name, tensor in adam.own.state().items()})
    assert same(adam.held(), copy.held())
    adam.step(7)
    copy.step(7)
    assert same(adam.held(), copy.held())


def test_what_was_remembered_is_forgotten_where_a_checkpoint_has_nothing() -> None:
    fresh, loaded = Adam(), Adam()
    loaded.give_gradients(0)
    loaded.own.prepare(0.0, APPLY)()
    loaded.own.load({})
    fresh.step(1)
    loaded.step(1)
    assert same(fresh.held(), loaded.held())
