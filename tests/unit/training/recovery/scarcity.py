"""Functions that find too little memory, and what runs tell of it."""

from typing import Any

import pytest
import torch

from tests.unit.training.helpers import ScriptedSession
from tui_trainer.run.events import Alert

SHORTAGES = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"),
    RuntimeError("Invalid buffer size: 40.00 GB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:80] DefaultCPUAllocator: not enough memory: you tried to allocate"),
    MemoryError("Unable to allocate 14.9 GiB for an array with shape (2000000000,)"),
    MemoryError(),
)

SHORT = SHORTAGES[5]


class Scarce:
    """A function that finds too little memory, in calls `first` to `last` (from 1), and works in all others."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, first: int = 1, last: float = float("inf")
    ) -> None:
        self.calls = 0
        self._function, self._first, self._last = getattr(owner, name), first, last

        def call(*arguments: Any, **named: Any) -> Any:
            return self._call(*arguments, **named)

        monkeypatch.setattr(owner, name, call)

    def _call(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        if self._first <= self.calls <= self._last:
            raise SHORT
        return self._function(*arguments, **named)


def told(session: ScriptedSession) -> list[tuple[int, str, str]]:
    return [(alert.step, alert.kind, alert.message) for alert in session.of(Alert)]


def failure(session: ScriptedSession) -> str:
    assert session.outcome is not None
    assert session.outcome.status == 1
    return session.outcome.error
