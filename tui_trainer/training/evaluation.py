"""Validation: the exact loss over the whole validation part."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from tui_trainer.corpus.batches import validation_windows
from tui_trainer.model.transformer import Transformer
from tui_trainer.training.precision import computing

TOKENS_PER_BATCH: Final = 4096


@torch.no_grad()  # not inference_mode: what is copied meanwhile has to be an ordinary tensor
def evaluate(
    model: Transformer, tokens: np.ndarray, precision: str = "fp32", interrupted: Callable[[], bool] = lambda: False
) -> float | None:
    """Mean loss in nats per token over `tokens`, every one predicted once; None when interrupted.

    Windows of the model's context do not overlap, so a token's own context is half of it on average, as in training.
    """
    context, device = model.shape.context, model.lm_head.weight.device
    losses: list[torch.Tensor] = []
    counts: list[int] = []
    model.eval()
    try:
        for inputs, targets in validation_windows(tokens, context, max(1, TOKENS_PER_BATCH // context)):
            if interrupted():
                return None
            with computing(precision, device):
                loss = model.loss(torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device))
            losses.append(loss)
            counts.append(targets.size)
    finally:
        model.train()
    # Summed on the CPU: Apple's GPUs have no float64.
    return float(np.average(torch.stack(losses).cpu().double().numpy(), weights=counts))
