"""The optimizer: which parameters are updated how, and how fast each learns.

Learning rates are the run's times a factor, so that the rate that suits one width suits others: matrices under AdamW,
and the head, learn inversely to the width (Yang et al. 2022, arXiv 2203.03466); Muon's matrices the same at any.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from tui_trainer.model.transformer import FUSED, Transformer
from tui_trainer.training.step.adamw import AdamW, Group
from tui_trainer.training.step.muon import Muon

REFERENCE_WIDTH: Final = 128
"""The width at which the learning rates were tuned."""

MUON_FACTOR: Final = 10
EMBEDDING_FACTOR: Final = 20 / 3
HEAD_FACTOR: Final = 5 / 3


class Optimizer:
    """The optimizers of one model, which act as one."""

    def __init__(self, *parts: AdamW | Muon) -> None:
        self._parts = parts

    def step(self, lr: float, skip: Tensor) -> None:
        """Update every parameter; where `skip`, a scalar on their device, is 1, nothing changes.

        All that takes memory comes before the first change, so that a shortage leaves everything as it was.
        """
        updates = [part.prepare(lr, skip) for part in self._parts]
        for update in updates:
            update()

    def state(self) -> dict[str, Tensor]:
        """The state of all of them, by name; for a checkpoint."""
        return {name: tensor for part in self._parts for name, tensor in part.state().items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned; raises KeyError or RuntimeError if it does not fit."""
        with torch.no_grad():
            for part in self._parts:
                part.load(state)


def make_optimizer(model: Transformer, kind: str, weight_decay: float) -> Optimizer:
    """`kind` "adamw" or "muon": what updates the matrices inside the layers; AdamW does the rest."""
    parameters = dict(model.named_parameters())
    embedding, head = (parameters[f"{name}.weight"] for name in ("model.embed_tokens", "lm_head"))
    norms = {name: parameter for name, parameter in parameters.items() if parameter.ndim == 1}
    matrices = {name: parameter for name, parameter in parameters.items() if parameter.ndim == 2 and ".layers." in name}
    narrow = REFERENCE_WIDTH / model.shape.width
    groups = [
        Group({"embed_tokens": embedding}, EMBEDDING_FACTOR, 0),
        Group({"lm_head": head}, HEAD_FACTOR * narrow, 0),
        Group(norms, 1, 0),
    ]
    if kind == "adamw":
        return Optimizer(AdamW([Group(matrices, narrow, weight_decay), *groups]))
    fused = [(parameter, _parts(name)) for name, parameter in matrices.items()]
    return Optimizer(AdamW(groups), Muon(fused, MUON_FACTOR, weight_decay))


def _parts(name: str) -> int:
    return next((len(parts) for fused, parts in FUSED.items() if fused in name), 1)
