"""Batches to the device, ready when a step asks for them."""

from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tui_trainer.corpus.batches import Batches

RESIDENT_SHARE: Final = 0.1
"""Part of an accelerator's free memory that the training text may take."""

NOISE_TOKENS: Final = 65_536
"""Tokens of the training part among which replacements are drawn: as frequent here as there."""


class BatchLoader(ABC):
    """Gives micro-batches by number: input ids and targets, int64, (batch_size, context), on the device."""

    def __init__(self, batches: Batches, device: torch.device, masking: float) -> None:
        self._batches, self._device, self._masking = batches, device, masking
        places = np.linspace(0, len(batches.tokens) - 1, NOISE_TOKENS).astype(np.int64)
        self._noise = torch.from_numpy(batches.tokens[places].astype(np.int64)).to(device) if masking else None

    def take(self, index: int) -> tuple[Tensor, Tensor]:
        """Micro-batch `index`, its inputs masked by the device's random state as it is now."""
        inputs, targets = self._fetch(index)
        return self._mask(inputs), targets

    @abstractmethod
    def _fetch(self, index: int) -> tuple[Tensor, Tensor]: ...

    def _mask(self, inputs: Tensor) -> Tensor:
        """Some of the inputs replaced by others of the text (unigram noising: Xie et al. 2017, arXiv 1703.02573)."""
        if self._noise is None:
            return inputs
        replaced = torch.rand(inputs.shape, device=self._device) < self._masking
        noise = self._noise[torch.randint(len(self._noise), inputs.shape, device=self._device)]
        return torch.where(replaced, noise, inputs)


class HostBatchLoader(BatchLoader):
    """Reads batches from the corpus in memory or on disk."""

    def _fetch(self, index: int) -> tuple[Tensor, Tensor]:
        inputs, targets = (torch.from_numpy(ids) for ids in self._batches.batch(index))
        return inputs.to(self._device), targets.to(self._device)


class PrefetchingBatchLoader(BatchLoader):
    """Reads the next batch, and starts its way to the device, while this one is computed with."""

    def __init__(self, batches: Batches, device: torch.device, masking: float) -> None:
        super().__init__(batches, device, masking)
        self._worker = ThreadPoolExecutor(1, "batches")
        self._next: tuple[int, Future[tuple[Tensor, Tensor]]] | None = None

    def _fetch(self, index: int) -> tuple[Tensor, Tensor]:
        expected, future = self._next or (-1, None)
        inputs, targets = future.result() if future is not None and expected == index else self._read(index)
        self._next = (index + 1, self._worker.submit(self._read, index + 1))
        return inputs.to(self._device, non_blocking=True), targets.to(self._device, non_blocking=True)

    def _read(self, index: int) -> tuple[Tensor, Tensor]:
        inputs, targets = (torch.from_numpy(ids) for ids in self._batches.batch(index))
        # Only from pinned memory can a GPU fetch on its own.
        return (inputs.pin_memory(), targets.pin_memory()) if self._device.type == "cuda" else (inputs, targets)


class DeviceBatchLoader(BatchLoader):
    """Cuts batches on the device out of the whole training part, which lies there."""

    def __init__(self, batches: Batches, device: torch.device, masking: float) -> None:
        super().__init__(batches, device, masking)
        wide = batches.tokens.dtype != np.uint8
        self._tokens = torch.from_numpy(batches.tokens.astype(np.int32 if wide else np.uint8)).to(device)
        self._window = torch.arange(batches.context, device=device)

    def _fetch(self, index: int) -> tuple[Tensor, Tensor]:
        starts = torch.from_numpy(self._batches.starts(index)).to(self._device, non_blocking=True)
        places = starts.unsqueeze(1) + self._window
        return self._tokens[places].long(), self._tokens[places + 1].long()


def make_batch_loader(batches: Batches, device: torch.device, masking: float) -> BatchLoader:
    """The loader that suits the device, and the size of the text."""
    if device.type == "cpu":
        return HostBatchLoader(batches, device, masking)
    held = len(batches.tokens) * (1 if batches.tokens.dtype == np.uint8 else 4)
    if batches.plain and held < RESIDENT_SHARE * free_memory(device):
        return DeviceBatchLoader(batches, device, masking)
    return PrefetchingBatchLoader(batches, device, masking)


def free_memory(device: torch.device) -> int:
    """Bytes an accelerator can still give."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
