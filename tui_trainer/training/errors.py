"""The errors that end a run early. Loads no torch, so that a session can import it first."""

from typing import Final

NOT_ENOUGH_MEMORY: Final = "The device ran out of memory: use a smaller --context or --width."

SHORTAGES: Final = (
    "out of memory",
    "defaultcpuallocator: not enough memory",
    "defaultcpuallocator: can't allocate memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "invalid buffer size",  # Apple's GPUs, of one that could never be had
    "std::bad_alloc",
)
"""What errors without a type of their own say, in lower case."""


class PreparationStopped(Exception):
    """The user left while the run was being prepared."""


class RunFailedError(RuntimeError):
    """Training cannot go on; the message is a sentence for the user: why, and what to try."""


def out_of_memory(error: BaseException) -> bool:
    """Whether that is what went wrong: Python and NumPy have an error for it, and of PyTorch's devices only some."""
    if isinstance(error, RunFailedError):
        return False
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in SHORTAGES)
