"""What a model takes at least, and whether the device has so much memory in all."""

import psutil
import torch

from tui_trainer.config import InputError
from tui_trainer.model.transformer import ModelShape
from tui_trainer.run.text import human_bytes, human_count

BYTES = 4
"""Of a weight, of its gradient, and of each number that the optimizer keeps of it."""


def check_capacity(shape: ModelShape, optimizer: str, device: torch.device) -> None:
    """Refuse a model that cannot be trained here in batches of any size; raises InputError.

    Weights, gradients and what the optimizer keeps are counted (of Muon one number a weight, of AdamW two), against all
    memory of the device: nothing is refused that might just fit.
    """
    parameters = shape.parameter_count
    needed = parameters * BYTES * (2 + (1 if optimizer == "muon" else 2))
    total = memory_of(device)
    if needed > total:
        where = "this machine" if device.type != "cuda" else "the device"
        raise InputError(
            f"A model of {human_count(parameters)} parameters needs {human_bytes(needed)} of memory or more, and "
            f"{where} has {human_bytes(total)}: use a smaller --width, or fewer --layers."
        )


def memory_of(device: torch.device) -> int:
    """All bytes of memory that a device has, used or not; those of the machine where it has none of its own."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return int(psutil.virtual_memory().total)
