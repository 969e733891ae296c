"""Runs the program with a fault injected: `python -m benchmarks.faults.inject WHAT ARGUMENTS...`.

Only the process that is started so has the fault; the program itself knows of none.
"""

import errno
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

NO_MEMORY: Final = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: not enough memory: tried 9 bytes"
"""The message of torch when it is out of memory on a CPU."""

SHORTAGES: Final = 3
"""Consecutive calls that run out of memory."""


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


def _too_little_memory(owner: Any, name: str, when: Callable[..., object]) -> None:
    """Let the first calls of a method for which `when` is true, given the same arguments, run out of memory."""
    left = [None] * SHORTAGES

    def make(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if left and when(*arguments, **options):
                left.pop()
                raise RuntimeError(NO_MEMORY)
            return original(*arguments, **options)

        return call

    _replace(owner, name, make)


class _Loop:
    """The step that the training loop is taking."""

    def __init__(self) -> None:
        from tui_trainer.training.checkpoints.saver import Saver
        from tui_trainer.training.step.stepper import Stepper
        from tui_trainer.training.trainer import Trainer

        self.begun, self.saving = False, False
        self.step = -1
        _replace(Stepper, "take", self._counting)
        _replace(Trainer, "run", self._beginning)
        _replace(Saver, "save", self._telling)

    @property
    def under_way(self) -> bool:
        return self.step >= 20

    def _beginning(self, run: Any) -> Any:
        def call(trainer: Any) -> Any:
            self.begun = True
            return run(trainer)

        return call

    def _counting(self, take: Any) -> Any:
        def call(stepper: Any, step: int, *rest: Any) -> Any:
            self.step = step if self.begun else -1  # the calibration takes steps, too
            return take(stepper, step, *rest)

        return call

    def _telling(self, save: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.saving = True
            try:
                return save(*arguments, **options)
            finally:
                self.saving = False

        return call


def _memory_calibration() -> None:
    from tui_trainer.model.transformer import Transformer

    _too_little_memory(Transformer, "loss", lambda *_: True)


def _memory_update() -> None:
    from tui_trainer.training.step.optimizer import Optimizer

    loop = _Loop()
    _too_little_memory(Optimizer, "step", lambda *_: loop.under_way)


def _memory_evaluation() -> None:
    from tui_trainer.model.transformer import Transformer

    loop = _Loop()
    _too_little_memory(Transformer, "loss", lambda model, *_: loop.under_way and not model.training)


def _memory_sampling() -> None:
    from tui_trainer.model.generation import Generation

    loop = _Loop()
    _too_little_memory(Generation, "advance", lambda *_: loop.under_way)


def _memory_saving() -> None:
    from tui_trainer.model.transformer import Transformer

    loop = _Loop()
    _too_little_memory(Transformer, "qwen3_weights", lambda *_: loop.under_way and loop.saving)


def _slow_save() -> None:
    loop = _Loop()
    _replace(os, "fsync", lambda fsync: lambda file: time.sleep(60.0) if loop.under_way else fsync(file))


def _slow_losses(training: bool) -> None:
    """Let micro-batches, of steps or of evaluations, take a fifth of a second."""
    from tui_trainer.model.transformer import Transformer

    loop = _Loop()

    def make(original: Any) -> Any:
        def loss(self: Any, *ids: Any) -> Any:
            if loop.under_way and self.training == training:
                time.sleep(0.2)
            return original(self, *ids)

        return loss

    _replace(Transformer, "loss", make)


def _passing_read_failure() -> None:
    """Let the first read of a checkpoint's optimizer state raise an OSError."""
    left = [None]

    def make(original: Any) -> Any:
        def opened(path: Any, *rest: Any, **more: Any) -> Any:
            flags = rest[0] if rest else more.get("flags", more.get("mode", "r"))
            reads = not flags & (os.O_WRONLY | os.O_RDWR) if isinstance(flags, int) else "r" in flags
            if reads and not isinstance(path, int) and Path(os.fsdecode(path)).name == "optimizer.safetensors" and left:
                left.pop()
                raise OSError(errno.EIO, os.strerror(errno.EIO), os.fsdecode(path))
            return original(path, *rest, **more)

        return opened

    _replace(os, "open", make)
    _replace(io, "open", make)


FAULTS: Final[dict[str, Callable[[], object]]] = {
    "memory-calibration": _memory_calibration,
    "memory-update": _memory_update,
    "memory-evaluation": _memory_evaluation,
    "memory-sampling": _memory_sampling,
    "memory-saving": _memory_saving,
    "slow-save": _slow_save,
    "slow-evaluation": lambda: _slow_losses(training=False),
    "slow-steps": lambda: _slow_losses(training=True),
    "passing-read-failure": _passing_read_failure,
}


def main() -> None:
    FAULTS[sys.argv[1]]()
    from tui_trainer.cli.entry import main as program

    sys.argv = ["tui-trainer", *sys.argv[2:]]
    program()


if __name__ == "__main__":
    main()
