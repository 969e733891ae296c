"""Validation: the exact loss over the whole validation part."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import torch

from tui_trainer.corpus.batches import validation_windows
from tui_trainer.model.transformer import Transformer
from tui_trainer.training.memory import within_memory
from tui_trainer.training.step.precision import computing

TOKENS_PER_BATCH: Final = 4096


def evaluate(
    model: Transformer, tokens: np.ndarray, precision: str = "fp32", interrupted: Callable[[], bool] = lambda: False
) -> float | None:
    """Mean loss in nats per token over `tokens`, every one predicted once; None when interrupted.

    Windows of the model's context do not overlap, so a token's own context is half of it on average, as in training.
    Where there is too little memory for a batch of them, they are taken in smaller ones; raises MemoryError when there
    is too little for one window.
    """
    windows = max(1, TOKENS_PER_BATCH // model.shape.context)
    model.eval()
    try:
        while True:
            try:
                return within_memory(partial(_mean_loss, model, tokens, windows, precision, interrupted))
            except MemoryError:
                if windows == 1:
                    raise
            windows //= 2
    finally:
        model.train()


@torch.no_grad()  # not inference_mode: what is copied meanwhile has to be an ordinary tensor
def _mean_loss(
    model: Transformer, tokens: np.ndarray, windows: int, precision: str, interrupted: Callable[[], bool]
) -> float | None:
    context, device = model.shape.context, model.lm_head.weight.device
    losses: list[torch.Tensor] = []
    counts: list[int] = []
    for inputs, targets in validation_windows(tokens, context, windows):
        if interrupted():
            return None
        with computing(precision, device):
            loss = model.loss(torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device))
        losses.append(loss)
        counts.append(targets.size)
    # Summed on the CPU: Apple's GPUs have no float64.
    return float(np.average(torch.stack(losses).cpu().double().numpy(), weights=counts))
