"""AdamW (Loshchilov & Hutter 2019) over groups of parameters, each with a learning rate of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETAS: Final = (0.9, 0.99)
"""The second is above the usual 0.95: a small batch's gradient is noisy, so its square is averaged for longer."""

MOMENTS: Final = ("exp_avg", "exp_avg_sq")

EPS: Final = 1e-8


@dataclass(frozen=True)
class Group:
    """Parameters by name; `factor` times the run's learning rate is theirs."""

    parameters: Mapping[str, Tensor]
    factor: float
    weight_decay: float


class AdamW:
    """PyTorch's fused AdamW; a tensor on the device says whether to skip a step, so that nothing waits for it.

    The function, and not the class of that name, which loads all of torch.compile: a second at every start of a run.
    """

    def __init__(self, groups: list[Group]) -> None:
        self._groups = groups
        self._named = {name: parameter for group in groups for name, parameter in group.parameters.items()}
        # At once, and not with the first update as PyTorch does, which could run out of memory amid it.
        self._state = {
            name: {
                "step": torch.zeros((), device=parameter.device),
                **{key: torch.zeros_like(parameter) for key in MOMENTS},
            }
            for name, parameter in self._named.items()
        }

    def prepare(self, lr: float, skip: Tensor) -> Callable[[], None]:
        """What updates in place, and takes no memory; where `skip`, a scalar on the device, is 1, it changes nothing.

        That holds whatever the gradients are.
        """
        # Apple's kernel does not look at it.
        nothing = skip.device.type == "mps" and bool(skip)
        return lambda: None if nothing else self._update(lr, skip)

    @torch.no_grad()
    def _update(self, lr: float, skip: Tensor) -> None:
        for group in self._groups:
            parameters = list(group.parameters.values())
            states = [self._state[name] for name in group.parameters]
            adamw(
                parameters,
                [parameter.grad for parameter in parameters if parameter.grad is not None],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [state["step"] for state in states],
                fused=True,
                found_inf=skip,  # as torch.amp.GradScaler tells a fused optimizer of gradients it must not use
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=lr * group.factor,
                weight_decay=group.weight_decay,
                eps=EPS,
                maximize=False,
            )

    def state(self) -> dict[str, Tensor]:
        return {f"{name}.{key}": value for name, held in self._state.items() for key, value in held.items()}

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
