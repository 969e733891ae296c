"""Attention: rotary positions, and both implementations of attention."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tui_trainer.model.transformer import EXPLICIT_ATTENTION_UP_TO, attend, rotary_table, rotate


def heads(length: int, seed: int) -> Tensor:
    """Two sequences of three heads of width 8."""
    values = torch.randn(2, 3, length, 8, generator=torch.Generator().manual_seed(seed))
    return values.requires_grad_()


@pytest.mark.parametrize("length", [1, 2, 9, EXPLICIT_ATTENTION_UP_TO, EXPLICIT_ATTENTION_UP_TO + 1])
def test_both_implementations_agree(length: int) -> None:
    """In values and in gradients."""
    q, k, v = (heads(length, seed) for seed in (1, 2, 3))
    direction = heads(length, 4).detach()
    own = attend(q, k, v, scale=0.4)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.4)
    torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-5)
    gradients = [torch.autograd.grad((mixed * direction).sum(), (q, k, v)) for mixed in (own, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_single_query_sees_all_keys() -> None:
    """As in generation with a cache."""
    q, k, v = heads(1, 1), heads(6, 2), heads(6, 3)
    shares = torch.softmax(q @ k.mT * 0.4, dim=-1)
    torch.testing.assert_close(attend(q, k, v, scale=0.4), shares @ v)


def test_the_product_depends_on_the_distance_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(8, generator=generator), torch.randn(8, generator=generator)
    cos, sin = rotary_table(50, 8)
    turned_q, turned_k = (rotate(x.expand(1, 1, 50, 8), cos, sin)[0, 0] for x in (q, k))
    products = turned_q @ turned_k.T
    for distance in range(-40, 41):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-4, atol=1e-4)
    assert products[0].std() > 0.1


def test_rotation_keeps_norms_and_position_0() -> None:
    x = torch.randn(2, 3, 10, 8, generator=torch.Generator().manual_seed(0))
    turned = rotate(x, *rotary_table(10, 8))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(turned[:, :, 0], x[:, :, 0])
