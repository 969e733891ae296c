"""Muon: momentum, made orthogonal, for the matrices inside the layers.

After Jordan et al. 2024 (kellerjordan.github.io/posts/muon). Matrices of one size are worked on together, and in fp32:
half precision is slow where processors have none, and at these sizes fp32 costs little elsewhere.

`torch.optim.Muon` (torch 2.9) takes one matrix at a time, in bf16, does not see the matrices that are fused into one
parameter here, and cannot skip an update by a tensor on the device.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

MOMENTUM: Final = 0.9

POLYNOMIALS: Final = (
    (7.3626, -20.7436, 15.1607),
    (2.9175, -2.1824, 0.4755),
    (2.0463, -1.4295, 0.3934),
)
"""a, b, c of x -> a x + b x^3 + c x^5: one after the other they bring singular values from 0.03 up within 4 % of 1."""


def orthogonalise(stack: Tensor) -> Tensor:
    """The nearest matrices with orthonormal rows, roughly, for matrices (N, rows <= columns, columns).

    Newton-Schulz iteration (Bernstein & Newhouse 2024, arXiv 2409.20325) with a polynomial for each step, each the best
    for the range of singular values that the one before leaves (Amsel et al. 2025, arXiv 2505.16932).
    """
    stack = stack / (torch.linalg.matrix_norm(stack, keepdim=True) + 1e-7)
    for a, b, c in POLYNOMIALS:
        gram = stack @ stack.mT
        stack = torch.baddbmm(stack, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), stack, beta=a)
    return stack


class Muon:
    """Updates that stretch every direction alike, by lr * factor * sqrt(longer side / shorter side).

    So measured, one learning rate suits every width (Yang et al. 2023, arXiv 2310.17813).
    """

    def __init__(self, matrices: Sequence[tuple[Tensor, int]], factor: float, weight_decay: float) -> None:
        """`matrices`: parameters, each with the number of equal matrices that lie in it, one below the other.

        `factor` times the run's learning rate is theirs.
        """
        self._factor, self._weight_decay = factor, weight_decay
        self._groups: dict[tuple[int, int], list[tuple[Tensor, int]]] = {}
        for parameter, parts in matrices:
            rows, columns = parameter.shape[0] // parts, parameter.shape[1]
            self._groups.setdefault((min(rows, columns), max(rows, columns)), []).append((parameter, parts))
        self._momentum = {
            size: torch.zeros(sum(parts for _, parts in group), *size, device=group[0][0].device)
            for size, group in self._groups.items()
        }

    @torch.no_grad()
    def prepare(self, lr: float, skip: Tensor) -> Callable[[], None]:
        """What updates in place, and takes no memory; where `skip`, a scalar on the device, is 1, it changes nothing.

        That holds whatever the gradients are.
        """
        decay = 1 - lr * self._weight_decay * (1 - skip)
        computed = {size: self._compute(size, lr * self._factor, skip) for size in self._groups}
        return lambda: self._apply(decay, computed)

    def _compute(self, size: tuple[int, int], lr: float, skip: Tensor) -> tuple[Tensor, Tensor]:
        """Momentum to come of the matrices of a size, and what is to be subtracted from them."""
        before, group, (rows, columns) = self._momentum[size], self._groups[size], size
        gradients = torch.stack([piece for parameter, parts in group for piece in _pieces(parameter.grad, parts)])
        gradients = torch.where(skip > 0, before, gradients)
        momentum = torch.lerp(before, gradients, 1 - MOMENTUM)
        updates = orthogonalise(torch.lerp(gradients, momentum, MOMENTUM))
        return momentum, updates.mul_(lr * (columns / rows) ** 0.5 * (1 - skip))

    @torch.no_grad()
    def _apply(self, decay: Tensor, computed: Mapping[tuple[int, int], tuple[Tensor, Tensor]]) -> None:
        for size, (momentum, updates) in computed.items():
            self._momentum[size] = momentum
            pieces = [piece for parameter, parts in self._groups[size] for piece in _pieces(parameter, parts)]
            torch._foreach_mul_(pieces, decay)
            torch._foreach_sub_(pieces, list(updates.unbind()))

    def state(self) -> dict[str, Tensor]:
        return {f"momentum.{rows}x{columns}": held for (rows, columns), held in self._momentum.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned; raises KeyError or RuntimeError if it does not fit."""
        for name, held in self.state().items():
            if state[name].shape != held.shape:
                raise RuntimeError(f"{name} has another shape")  # copying would repeat what is smaller
            held.copy_(state[name])


def _pieces(tensor: Tensor | None, parts: int) -> Iterable[Tensor]:
    """The matrices that lie in one parameter, each with its longer side across."""
    assert tensor is not None
    pieces = tensor.chunk(parts)
    return [piece.mT for piece in pieces] if pieces[0].shape[0] > pieces[0].shape[1] else pieces
