"""Compiled steps: whether they pay for their slow start, and what happens where they cannot be had."""

import hashlib
import importlib.util
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from tui_trainer.config import Config
from tui_trainer.corpus.cache import cache_directory
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.text import human_seconds
from tui_trainer.training.errors import out_of_memory
from tui_trainer.training.step.precision import computing


@dataclass(frozen=True)
class Gain:
    """What compiling costs in seconds, at first and again, and the part of a step's time that is left."""

    seconds: float
    again: float
    left: float


GAINS: Final = {"cpu": Gain(20, 4, 0.75), "cuda": Gain(40, 10, 0.6)}
"""Careful figures; on a CPU as measured with the nano preset (see benchmarks/RESULTS.md)."""

LEAST_GAIN: Final = 3.0
"""How many times its cost compiling must save, as it delays the first step."""


def choose_compilation(config: Config, training_seconds: float) -> tuple[str, str]:
    """Whether to compile, "on" or "off", and why; `training_seconds` is what the run's steps take uncompiled."""
    device = config.run.device
    if config.run.compile != "auto":
        return config.run.compile, ""
    if device not in GAINS or (lacking := _lacking(device)):
        return "off", "it is not tried on this device" if device not in GAINS else f"there is no {lacking}"
    cost, saved = _cost(config), training_seconds * (1 - GAINS[device].left)
    said = f"it takes about {human_seconds(cost)} and saves about {human_seconds(saved)} in this run"
    return ("on" if saved > LEAST_GAIN * cost else "off"), said


def compiled_seconds(config: Config, training_seconds: float, step_seconds: float) -> tuple[float, float]:
    """What the start, and then a step, will take if so much time is to be trained for."""
    if choose_compilation(config, training_seconds)[0] == "off" or config.run.device not in GAINS:
        return 0.0, step_seconds
    return _cost(config), step_seconds * GAINS[config.run.device].left


def _cost(config: Config) -> float:
    """Seconds that compiling will take: few if a run of this shape has left its code in the cache."""
    gain = GAINS[config.run.device]
    return gain.again if _mark(config).exists() else gain.seconds


def _lacking(device: str) -> str:
    """What compiling needs and this machine has not."""
    if device == "cuda":
        return "" if importlib.util.find_spec("triton") else "Triton"
    return "" if shutil.which("g++") or shutil.which("clang++") else "C++ compiler"


def compile_layers(model: Transformer, config: Config) -> str:
    """Compile what training calls, now; why it could not be done, empty when it was.

    All layers share the code, so that a deep model takes no longer than a shallow one, and the code is kept on disk for
    later runs of the same shape.
    """
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(_code_cache())
    try:
        for layer in model.model.layers:
            # Its own attention would replace the model's, which is faster over short windows on a CPU.
            layer.compile(fullgraph=True, dynamic=False, options={"pattern_matcher": False})
        _call(model, config.optimizer.batch_size, config.run.precision)
    except Exception as error:  # compilers fail in many ways
        if out_of_memory(error):
            raise
        for layer in model.model.layers:
            layer._compiled_call_impl = None  # what `layer.compile` sets: there is no other way back
        return f"Compiling failed, so steps are taken uncompiled ({_first_line(error)})."
    with suppress(OSError):
        _mark(config).touch()
    return ""


def _call(model: Transformer, batch_size: int, precision: str) -> None:
    """Forward and backward, as in a step, which is when code is made."""
    device = model.lm_head.weight.device
    tokens = torch.zeros(batch_size, model.shape.context, dtype=torch.int64, device=device)
    with computing(precision, device):
        loss = model.train().loss(tokens, tokens)
    loss.backward()  # type: ignore[no-untyped-call]
    model.zero_grad(set_to_none=True)


def _code_cache() -> Path:
    return cache_directory() / "compiled"


def _mark(config: Config) -> Path:
    """The file that marks compiled code of a run's shape as cached; the number of layers does not matter."""
    sizes, run = config.model, config.run
    shape = (sizes.width, sizes.heads, sizes.context, sizes.dropout, config.optimizer.batch_size)
    key = repr((torch.__version__, *shape, run.device, run.precision, torch.get_num_threads()))
    return _code_cache() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.mark"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
