"""Validation: the exact loss over the whole validation part."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from tui_trainer.corpus.batches import validation_windows
from tui_trainer.model.transformer import Transformer

TOKENS_PER_BATCH: Final = 4096


@torch.inference_mode()
def evaluate(
    model: Transformer, tokens: np.ndarray, device: torch.device, interrupted: Callable[[], bool] = lambda: False
) -> float | None:
    """Mean loss in nats per token over `tokens`, every one predicted once; None when interrupted.

    Windows of the model's context do not overlap, so a token's own context is half of it on average, as in training.
    """
    context = model.shape.context
    losses: list[torch.Tensor] = []
    counts: list[int] = []
    model.eval()
    try:
        for inputs, targets in validation_windows(tokens, context, max(1, TOKENS_PER_BATCH // context)):
            if interrupted():
                return None
            loss = model.loss(torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device))
            losses.append(loss)
            counts.append(targets.size)
    finally:
        model.train()
    # Summed on the CPU: Apple's GPUs have no float64.
    return float(np.average(torch.stack(losses).cpu().double().numpy(), weights=counts))
