"""Times steps of a temporary model of the run's size on this machine."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

import torch

from tui_trainer.config import Config
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.generation import Generation
from tui_trainer.training.build import build_model, build_optimizer, build_stepper
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, RunFailedError
from tui_trainer.training.memory import within_memory
from tui_trainer.training.planning.compilation import compile_layers
from tui_trainer.training.planning.plan import Timings
from tui_trainer.training.probes.evaluation import TOKENS_PER_BATCH, evaluate

SECONDS: Final = 0.25
"""Time for each number of threads; a step that takes longer is timed once."""

PLANNED_SECONDS: Final = 1.5
"""Time for timing steps as planned, from which the length of a run follows."""

SLOW_STEP: Final = 1.0
"""Seconds of a step that is so large that every thread helps, and timing it often would take too long."""

SLOW_START: Final = 10.0
"""Seconds of a first step that is not worth a second one."""

SAMPLED_TOKENS: Final = 4

WORTH_IT: Final = 0.95
"""What part of the time more threads may take, to be worth the cores."""


def thread_counts() -> list[int]:
    """Numbers of threads that may be fastest: powers of two, and all that PyTorch would use."""
    most = torch.get_num_threads()
    return sorted({*(1 << power for power in range(most.bit_length())), most})


def measure(
    config: Config, corpus: Corpus, device: torch.device, check_stop: Callable[[], None]
) -> tuple[Timings, str]:
    """The timings with the best number of threads, which stays set, and why it is that one.

    `config` has its sizes; `check_stop` is called between steps and may raise. Nothing of the run is touched. Steps are
    made of smaller micro-batches until one fits into the device's memory; raises RunFailedError when none does.
    """
    calibration = _make_calibration(config, corpus, device, check_stop)
    step, reason = calibration.take(), ""
    if step < SLOW_START:
        step = calibration.take()  # the first had memory to find, and a GPU its libraries to load
    if step < SLOW_STEP and device.type == "cpu" and config.run.threads is None:
        step, reason = _choose_threads(calibration)
    elif step < SLOW_STEP:
        step = calibration.step_seconds()
    return Timings(step, calibration.evaluation_seconds(), calibration.token_seconds(), sizes=calibration.sizes), reason


def planned_timings(
    config: Config, corpus: Corpus, device: torch.device, check_stop: Callable[[], None], measured: Timings
) -> Timings:
    """What a step of a run as planned takes on average, compiled and with dropout if that is planned.

    Fitted into the device's memory as by `measure`.
    """
    calibration = _make_calibration(config, corpus, device, check_stop)
    if config.run.compile == "on":
        calibration.compile(config)
    calibration.take()
    taken = [calibration.take()]
    while sum(taken) < PLANNED_SECONDS:
        taken.append(calibration.take())
    return replace(measured, step=sum(taken) / len(taken), as_planned=True, sizes=calibration.sizes)


def _choose_threads(calibration: "_Calibration") -> tuple[float, str]:
    """Set the best number of threads; seconds a step then takes, and what led to the choice."""
    timed: dict[int, float] = {}
    best = 0
    for threads in thread_counts():
        torch.set_num_threads(threads)
        timed[threads] = calibration.step_seconds()
        if best and timed[threads] > WORTH_IT * timed[best]:
            break  # more threads would only wait for each other longer
        best = threads
    torch.set_num_threads(best)
    timings = [f"{1000 * seconds:.0f} ms with {threads}" for threads, seconds in timed.items()]
    return timed[best], f"a step took {', '.join(timings)}" if len(timings) > 1 else ""


def _make_calibration(
    config: Config, corpus: Corpus, device: torch.device, check_stop: Callable[[], None]
) -> "_Calibration":
    try:
        return within_memory(lambda: _Calibration(config, corpus, device, check_stop))
    except MemoryError as error:
        raise RunFailedError(NOT_ENOUGH_MEMORY) from error


class _Calibration:
    def __init__(self, config: Config, corpus: Corpus, device: torch.device, check_stop: Callable[[], None]) -> None:
        self._model = build_model(config, corpus, device)
        self._stepper = build_stepper(config, corpus, self._model, build_optimizer(config, self._model))
        self._corpus, self._precision = corpus, config.run.precision
        self._check_stop = check_stop
        self._step = 0
        self._seconds = 0.0
        """What the last step took."""

    def compile(self, config: Config) -> None:
        """Ignores failures: the run meets them too, and reports them; too large batches are split by the first step."""
        with suppress(MemoryError):
            within_memory(lambda: compile_layers(self._model, config))

    @property
    def sizes(self) -> tuple[int, int]:
        """Size and number of micro-batches that fit."""
        return self._stepper.sizes

    def step_seconds(self) -> float:
        """The best step of those that fit into the time, so that a busy moment does not count."""
        best, end = float("inf"), time.perf_counter() + SECONDS
        while best == float("inf") or time.perf_counter() < end:
            best = min(best, self.take())
        return best

    def take(self) -> float:
        """Take a step that changes nothing; the seconds it took."""
        taken = None
        while taken is None:
            self._check_stop()
            try:
                taken = self._take()
            except MemoryError as error:
                if self._stepper.split() is None:
                    raise RunFailedError(NOT_ENOUGH_MEMORY) from error
        return taken

    def _take(self) -> float:
        started = time.perf_counter()
        self._stepper.take(self._step, 0.0, lambda: False)
        self._stepper.results(wait=True)
        self._step += 1
        self._seconds = time.perf_counter() - started
        return self._seconds

    def evaluation_seconds(self) -> float:
        self._check_stop()
        part = self._corpus.val[: TOKENS_PER_BATCH + 1]
        started = time.perf_counter()
        try:
            evaluate(self._model, part, self._precision)
        except MemoryError as error:
            raise RunFailedError(NOT_ENOUGH_MEMORY) from error
        return (time.perf_counter() - started) * len(self._corpus.val) / len(part)

    def token_seconds(self) -> float:
        """Those of a step where there is too little memory for a sample, so that few are planned."""
        self._check_stop()
        try:
            return within_memory(self._time_token)
        except MemoryError:
            return self._seconds

    def _time_token(self) -> float:
        generation = Generation(self._model, [0], SAMPLED_TOKENS + 1, 1.0, 0, 0)
        generation.advance()
        started = time.perf_counter()
        while not generation.done:
            generation.advance()
        return (time.perf_counter() - started) / SAMPLED_TOKENS


def use_threads(asked: int) -> None:
    """Compute with so many threads, or as many as there are processors."""
    if asked is not None:
        torch.set_num_threads(min(asked, os.cpu_count() or 1))
