"""Muon: updates made orthogonal."""

import math

import pytest
import torch
from torch import Tensor

from tui_trainer.training.step.muon import Muon, orthogonalise

APPLY, SKIP = torch.tensor(0.0), torch.tensor(1.0)


def random(*size: int, seed: int = 1) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def stretched(rows: int, columns: int, seed: int = 1) -> Tensor:
    """A matrix whose singular values go from 1 down to 0.03 of its Frobenius norm."""
    left, _, right = torch.linalg.svd(random(rows, columns, seed=seed), full_matrices=False)
    most = torch.logspace(0, -1, rows - 1)
    values = torch.cat((most, 0.031 * most.norm()[None]))
    made: Tensor = (left * values) @ right
    return made


def parameter(values: Tensor, gradient: Tensor) -> Tensor:
    """A parameter that has a gradient."""
    made = values.clone().requires_grad_()
    made.grad = gradient.clone()
    return made


def remembered(muon: Muon) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in muon.state().items()}


# -- orthogonalise -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [(2, 5), (4, 4), (6, 20), (8, 100)])
def test_every_direction_is_stretched_to_about_one(rows: int, columns: int) -> None:
    made = orthogonalise(stretched(rows, columns)[None])[0]
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.95
    assert values.max() < 1.05
    torch.testing.assert_close(made @ made.T, torch.eye(rows), rtol=0, atol=0.1)


def test_the_directions_stay() -> None:
    matrix = stretched(6, 20)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    torch.testing.assert_close(orthogonalise(matrix[None])[0], left @ right, rtol=0, atol=0.06)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_size_does_not_matter(scale: float) -> None:
    matrix = random(3, 6, 8)
    torch.testing.assert_close(orthogonalise(matrix * scale), orthogonalise(matrix), rtol=1e-3, atol=1e-3)


def test_a_stack_is_each_of_its_matrices() -> None:
    stack = random(3, 6, 8)
    alone = torch.cat([orthogonalise(matrix[None]) for matrix in stack])
    torch.testing.assert_close(orthogonalise(stack), alone)


def test_nothing_stays_nothing() -> None:
    assert torch.equal(orthogonalise(torch.zeros(1, 3, 4)), torch.zeros(1, 3, 4))


# -- steps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [(6, 6), (4, 16), (16, 4)])
def test_an_update_has_one_length_in_every_direction(rows: int, columns: int) -> None:
    weight = parameter(random(rows, columns), random(rows, columns, seed=2))
    before = weight.detach().clone()
    Muon([(weight, 1)], factor=3, weight_decay=0).prepare(0.01, APPLY)()
    lengths = torch.linalg.svdvals(before - weight.detach())
    expected = 0.01 * 3 * math.sqrt(max(rows, columns) / min(rows, columns))
    assert lengths.tolist() == pytest.approx([expected] * min(rows, columns), rel=0.05)


@pytest.mark.parametrize(("rows", "parts"), [(8, 3), (24, 2)])
def test_a_fused_parameter_is_several_matrices(rows: int, parts: int) -> None:
    values, gradient = random(parts * rows, 8), random(parts * rows, 8, seed=2)
    fused = parameter(values, gradient)
    apart = [parameter(*pair) for pair in zip(values.chunk(parts), gradient.chunk(parts), strict=True)]
    one = Muon([(fused, parts)], factor=1, weight_decay=0.1)
    other = Muon([(part, 1) for part in apart], factor=1, weight_decay=0.1)
    for _ in range(3):
        one.prepare(0.02, APPLY)()
        other.prepare(0.02, APPLY)()
    torch.testing.assert_close(fused.detach(), torch.cat(apart).detach())


def test_a_tall_matrix_is_a_wide_one_on_its_side() -> None:
    values, gradient = random(20, 6), random(20, 6, seed=2)
    tall, wide = parameter(values, gradient), parameter(values.T, gradient.T)
    for weight in (tall, wide):
        Muon([(weight, 1)], factor=1, weight_decay=0).prepare(0.02, APPLY)()
    torch.testing.assert_close(tall.detach(), wide.detach().T)


def test_matrices_of_several_sizes_do_not_mix() -> None:
    sizes = [(4, 8), (6, 6), (8, 4), (4, 8)]
    pairs = [(random(*size, seed=seed), random(*size, seed=seed + 9)) for seed, size in enumerate(sizes)]
    together, alone = [parameter(*pair) for pair in pairs], [parameter(*pair) for pair in pairs]
    Muon([(weight, 1) for weight in together], factor=1, weight_decay=0).prepare(0.02, APPLY)()
    for weight, other in zip(alone, together, strict=True):
        Muon([(weight, 1)], factor=1, weight_decay=0).prepare(0.02, APPLY)()
        torch.testing.assert_close(weight, other)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_skipped_step_changes_nothing(poison: float) -> None:
    weight = parameter(random(9, 8), random(9, 8, seed=2))
    muon = Muon([(weight, 1)], factor=1, weight_decay=0.1)
    muon.prepare(0.02, APPLY)()
    before, held = weight.detach().clone(), remembered(muon)
    weight.grad = torch.full_like(weight, poison)
    muon.prepare(0.02, SKIP)()
    assert torch.equal(weight, before)
    assert all(torch.equal(tensor, held[name]) for name, tensor in muon.state().items())


def test_weights_decay_by_rate_times_decay() -> None:
    """Without gradients, decay is all that moves a weight."""
    weight = parameter(random(4, 8), torch.zeros(4, 8))
    before = weight.detach().clone()
    Muon([(weight, 1)], factor=7, weight_decay=0.5).prepare(0.1, APPLY)()
    torch.testing.assert_close(weight.detach(), before * (1 - 0.1 * 0.5))


def test_it_goes_on_from_what_it_remembers() -> None:
    weight = parameter(random(24, 8), random(24, 8, seed=2))
    muon = Muon([(weight, 3)], factor=1, weight_decay=0.1)
    muon.prepare(0.02, APPLY)()
    copy = parameter(weight.detach(), random(24, 8, seed=3))
    weight.grad = random(24, 8, seed=3)
    again = Muon([(copy, 3)], factor=1, weight_decay=0.1)
    again.load(remembered(muon))
    for each in (muon, again):
        each.prepare(0.02, APPLY)()
    assert torch.equal(weight, copy)


def test_what_does_not_fit_is_not_loaded() -> None:
    muon = Muon([(parameter(random(4, 8), random(4, 8)), 1)], factor=1, weight_decay=0)
    with pytest.raises(KeyError):
        muon.load({})
    with pytest.raises(RuntimeError):
        muon.load({name: tensor[:, 1:] for name, tensor in muon.state().items()})
