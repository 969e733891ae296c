"""The numbers a model computes with; its weights, and the optimizer's, are fp32 always."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

import torch
from torch import Tensor

from tui_trainer.config import InputError

DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

WORTH_IT: Final = 1.3
"""How many times as fast bf16 matrix products must be on a CPU before their rounding is accepted."""

PROBE_SIZE: Final = 256
AMPERE: Final = (8, 0)


def choose_precision(asked: str, device: torch.device) -> tuple[str, str]:
    """The precision for a device, and why; raises InputError for one that it cannot compute with."""
    if asked == "fp16" and device.type == "cpu":
        raise InputError("--precision fp16 is for GPUs: use fp32 or bf16 on a CPU.")
    if asked != "auto":
        return asked, ""
    if device.type == "cuda":
        # Older GPUs claim bf16 too, and emulate it.
        if torch.cuda.get_device_capability(device) >= AMPERE:
            return "bf16", "this GPU computes it fast"
        return "fp16", "this GPU has no fast bf16"
    if device.type == "mps":
        return "fp32", "the safe choice on Apple's GPUs"
    ratio = bf16_speed()
    if not ratio:
        return "fp32", "this processor has no fast bf16"
    return "bf16" if ratio > WORTH_IT else "fp32", f"bf16 matrix products are {ratio:.1f} times as fast here"


def bf16_speed() -> float:
    """How many times as fast as fp32 this CPU multiplies bf16 matrices; 0 where it has no instruction for it."""
    # Without one a product may take 50 times as long: not worth finding out.
    onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not onednn or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return 0.0
    return _product_seconds(torch.float32) / _product_seconds(torch.bfloat16)


def _product_seconds(dtype: torch.dtype) -> float:
    """Seconds a product takes: the best of a few, so that a busy moment does not decide."""
    square = torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype)
    best = float("inf")
    for _ in range(10):
        started = time.perf_counter()
        square @ square
        best = min(best, time.perf_counter() - started)
    return best


def computing(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """The context in which a model's products are computed in that precision."""
    return torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32")


class LossScale:
    """Keeps fp16 gradients within its range: the loss is multiplied, the gradients divided again.

    After Micikevicius et al. 2018 (arXiv 1710.03740): halved when they overflow, doubled after long without. All of it
    stays on the device. In other precisions the scale is 1 and stays so.
    """

    START: Final = 2.0**12
    PATIENCE: Final = 1000

    def __init__(self, precision: str, device: torch.device) -> None:
        self.active = precision == "fp16"
        self.value = torch.full((), self.START if self.active else 1.0, device=device)
        self.good_steps = torch.zeros((), device=device)

    def unscale(self, gradients: list[Tensor]) -> None:
        if self.active:
            torch._foreach_mul_(gradients, 1 / self.value)

    def update(self, skipped: Tensor) -> None:
        """Learn from a step; `skipped` is a scalar, 1 where its gradients were not finite."""
        if not self.active:
            return
        self.good_steps.add_(1).mul_(1 - skipped)
        doubled = (self.good_steps >= self.PATIENCE).float()
        self.good_steps.mul_(1 - doubled)
        self.value.mul_(1 + doubled).mul_(1 - skipped / 2)

    def state(self) -> dict[str, Tensor]:
        return {"loss_scale.value": self.value, "loss_scale.good_steps": self.good_steps} if self.active else {}

    def load(self, state: Mapping[str, Tensor]) -> None:
        for name, held in self.state().items():
            if name in state:
                held.copy_(state[name])
