"""The device that training runs on: choosing it, its name, and the memory in use."""

import platform
from importlib.metadata import version

import psutil
import torch

import tui_trainer
from tui_trainer.config import InputError
from tui_trainer.run.events import Resources


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` takes the fastest there is; raises InputError when it is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, there in available.items() if there)
    if not available[name]:
        what = "No CUDA GPU" if name == "cuda" else "No Apple GPU"
        raise InputError(f"{what} can be used here: leave --device out, or use --device cpu.")
    return torch.device(name)


def device_label(device: torch.device) -> str:
    """A short name: cpu, mps, or the GPU's model."""
    return torch.cuda.get_device_name(device).removeprefix("NVIDIA ") if device.type == "cuda" else device.type


def resources(device: torch.device, step: int) -> Resources:
    """What the process and the device hold now."""
    held = 0
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device)
    elif device.type == "mps":
        held = torch.mps.driver_allocated_memory()
    return Resources(step=step, memory_bytes=psutil.Process().memory_info().rss, device_memory_bytes=held)


def setup() -> dict[str, str]:
    """What the results depend on to the bit, beside configuration and corpus."""
    return {
        "torch": str(torch.__version__),
        "numpy": version("numpy"),
        "processor": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        "threads": str(torch.get_num_threads()),
        "GPU": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def versions() -> dict[str, str]:
    """The versions of the software that a run's numbers depend on."""
    return {
        "tui_trainer": tui_trainer.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "tokenizers": version("tokenizers"),
        "threads": str(torch.get_num_threads()),
    }
