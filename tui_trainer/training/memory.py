"""Work that a device may have too little memory for, and what is made smaller then."""

from collections.abc import Callable
from typing import TypeVar

import torch

from tui_trainer.run import alerts
from tui_trainer.run.events import Alert
from tui_trainer.training.errors import out_of_memory

Made = TypeVar("Made")


def within_memory(work: Callable[[], Made]) -> Made:
    """What `work` returns; raises MemoryError, for whatever the device says, when there is too little memory for it.

    Nothing holds on to what had been made of it by then, so that a smaller attempt has all the room there is.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        # Raised outside this clause, as the error knows the frames that hold what had been made.
        # NumPy's has no message where there is too little memory even for that.
        shortage = str(error) if isinstance(error, RuntimeError) else ""
    free()
    raise MemoryError(shortage or "out of memory")


def free() -> None:
    """Give back to the device what PyTorch keeps of it and nothing uses."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


def smaller(batch_size: int, accumulate: int) -> tuple[int, int] | None:
    """Size and number of smaller micro-batches that make the same step; None when they are of one sequence.

    The size is the largest of at most half as much that divides it.
    """
    if batch_size == 1:
        return None
    size = max(size for size in range(1, batch_size // 2 + 1) if batch_size % size == 0)
    return size, accumulate * (batch_size // size)


def smaller_batches_alert(step: int, batch_size: int, accumulate: int) -> Alert:
    """The alert that steps are made of smaller micro-batches."""
    message = (
        f"The device ran out of memory: a step is now {accumulate} micro-batches of {batch_size}, "
        "with the same sequences as before."
    )
    return alerts.memory(step, message)
