"""Validation: the exact loss over the whole validation part."""

from collections.abc import Callable, Generator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tui_trainer.corpus.batches import validation_windows
from tui_trainer.model.transformer import Transformer
from tui_trainer.training.memory import within_memory
from tui_trainer.training.step.precision import computing

TOKENS_PER_BATCH: Final = 4096
"""Also what a part of the probe takes: the loss is rounded by batch, so in smaller ones its last digits are others."""


def evaluate(
    model: Transformer, tokens: np.ndarray, precision: str = "fp32", interrupted: Callable[[], bool] = lambda: False
) -> float | None:
    """What `evaluation` finds, all at once; None when interrupted."""
    probe = evaluation(model, tokens, precision)
    try:
        while not interrupted():
            next(probe)
    except StopIteration as end:
        return float(end.value)
    finally:
        probe.close()
    return None


def evaluation(model: Transformer, tokens: np.ndarray, precision: str = "fp32") -> Generator[None, None, float]:
    """A probe: mean loss in nats per token over `tokens`, every one predicted once. Yields between two batches.

    A batch can take far longer than other probes' parts. Whoever runs it takes no step until it is over.

    Windows of the model's context do not overlap, so a token's own context is half of it on average, as in training.
    Where there is too little memory for a batch of them, they are taken in smaller ones; raises MemoryError when there
    is too little for one window. Nothing may change the model meanwhile.
    """
    windows = max(1, TOKENS_PER_BATCH // model.shape.context)
    model.eval()
    try:
        while True:
            try:
                return (yield from _mean_loss(model, tokens, windows, precision))
            except MemoryError:
                if windows == 1:
                    raise
            windows //= 2
    finally:
        model.train()


def _mean_loss(model: Transformer, tokens: np.ndarray, windows: int, precision: str) -> Generator[None, None, float]:
    losses: list[Tensor] = []
    counts: list[int] = []
    for inputs, targets in validation_windows(tokens, model.shape.context, windows):
        if losses:
            yield
        losses.append(_batch_loss(model, inputs, targets, precision))
        counts.append(targets.size)
    # Summed on the CPU: Apple's GPUs have no float64.
    return float(np.average(torch.stack(losses).cpu().double().numpy(), weights=counts))


@torch.no_grad()  # not inference_mode: what is copied meanwhile has to be an ordinary tensor
def _batch_loss(model: Transformer, inputs: np.ndarray, targets: np.ndarray, precision: str) -> Tensor:
    device = model.lm_head.weight.device

    def loss() -> Tensor:
        with computing(precision, device):
            return model.loss(torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device))

    return within_memory(loss)
