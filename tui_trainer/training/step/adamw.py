"""AdamW (Loshchilov & Hutter 2019) over groups of parameters, each with a learning rate of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

BETAS: Final = (0.9, 0.99)
"""The second is above the usual 0.95: a small batch's gradient is noisy, so its square is averaged for longer."""

MOMENTS: Final = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Group:
    """Parameters by name; `factor` times the run's learning rate is theirs."""

    parameters: Mapping[str, Tensor]
    factor: float
    weight_decay: float


class AdamW:
    """PyTorch's fused AdamW; a tensor on the device says whether to skip a step, so that nothing waits for it."""

    def __init__(self, groups: list[Group]) -> None:
        self._named = {name: parameter for group in groups for name, parameter in group.parameters.items()}
        self._inner = torch.optim.AdamW(
            [
                {"params": list(group.parameters.values()), "weight_decay": group.weight_decay, "factor": group.factor}
                for group in groups
            ],
            betas=BETAS,
            fused=True,
        )
        # At once, and not with the first update as PyTorch does, which could run out of memory amid it.
        for parameter in self._named.values():
            moments = {key: torch.zeros_like(parameter) for key in MOMENTS}
            self._inner.state[parameter] = {"step": torch.zeros((), device=parameter.device), **moments}

    def prepare(self, lr: float, skip: Tensor) -> Callable[[], None]:
        """What updates in place, and takes no memory; where `skip`, a scalar on the device, is 1, it changes nothing.

        That holds whatever the gradients are.
        """
        for group in self._inner.param_groups:
            group["lr"] = lr * group["factor"]
        # The way that torch.amp.GradScaler tells a fused optimizer of gradients it must not use.
        self._inner.found_inf = skip  # type: ignore[attr-defined]
        # Apple's kernel does not look at it.
        nothing = skip.device.type == "mps" and bool(skip)
        return lambda: None if nothing else self._update()

    def _update(self) -> None:
        self._inner.step()

    def state(self) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value
            for name, parameter in self._named.items()
            for key, value in self._inner.state[parameter].items()
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Copy what `state` gave, in place; raises KeyError or RuntimeError if it does not fit.

        A checkpoint from before the first step may have nothing.
        """
        if not any(f"{name}.step" in state for name in self._named):
            for held in self.state().values():
                held.zero_()
            return
        for name, held in self.state().items():
            if state[name].shape != held.shape:
                raise RuntimeError(f"{name} has another shape")  # copying would repeat what is smaller
            held.copy_(state[name])
