"""Compiled steps: whether they pay for their slow start, and what happens where they cannot be had."""

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from tui_trainer.config import Config
from tui_trainer.run.text import human_seconds


@dataclass(frozen=True)
class Gain:
    """What compiling costs in seconds, and the part of the step's time that is left."""

    seconds: float
    left: float


GAINS: Final = {"cpu": Gain(30, 0.75), "cuda": Gain(60, 0.6)}
"""Careful figures; on a CPU as measured with the nano preset (see benchmarks/RESULTS.md)."""

MARGIN: Final = 2.0
"""How many times its cost compiling must save, as nobody likes to wait for the first step."""


def choose_compilation(config: Config, training_seconds: float) -> tuple[str, str]:
    """ "on" or "off", and why; `training_seconds` is what the run's steps take uncompiled."""
    if config.run.compile != "auto":
        return config.run.compile, ""
    gain = GAINS.get(config.run.device)
    if gain is None or (lacking := _lacking(config.run.device)):
        return "off", "it is not tried on this device" if gain is None else f"there is no {lacking}"
    saved = training_seconds * (1 - gain.left)
    said = f"it takes about {human_seconds(gain.seconds)} and saves about {human_seconds(saved)} in this run"
    return ("on" if saved > MARGIN * gain.seconds else "off"), said


def compiled_seconds(config: Config, training_seconds: float, step_seconds: float) -> tuple[float, float]:
    """What the start, and then a step, will take if so much time is to be trained for."""
    gain = GAINS.get(config.run.device)
    if gain is None or choose_compilation(config, training_seconds)[0] == "off":
        return 0.0, step_seconds
    return gain.seconds, step_seconds * gain.left


def _lacking(device: str) -> str:
    """What compiling needs and this machine has not."""
    if device == "cuda":
        return "" if importlib.util.find_spec("triton") else "Triton"
    return "" if shutil.which("g++") or shutil.which("clang++") else "C++ compiler"


class Compiled:
    """A loss function that is compiled when first called, and left as it was should that fail."""

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], on_failure: Callable[[str], None]) -> None:
        self._plain, self._on_failure = loss, on_failure
        # Its own attention would replace the model's, which is faster over short windows on a CPU.
        options: dict[str, Any] = {"pattern_matcher": False}
        self._loss = torch.compile(loss, fullgraph=True, dynamic=False, options=options)

    def __call__(self, inputs: Tensor, targets: Tensor) -> Tensor:
        try:
            return self._loss(inputs, targets)
        except Exception as error:  # compilers fail in many ways
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self._loss = self._plain
            self._on_failure(f"Compiling failed, so steps are taken uncompiled ({_first_line(error)}).")
            return self._plain(inputs, targets)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
