"""Quick evaluations: the loss over a fixed sample of the validation part, between two exact ones."""

import math
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tui_trainer.analysis.perplexity import bits_per_byte, perplexity
from tui_trainer.config import Config
from tui_trainer.corpus.batches import spread_windows
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import SAMPLE, Evaluation, Event, finite
from tui_trainer.training.decision import Decision
from tui_trainer.training.memory import within_memory
from tui_trainer.training.probes.source import Probe, ProbeSource
from tui_trainer.training.progress import Progress
from tui_trainer.training.step.precision import computing

STEPS_OF_WINDOWS: Final = 2
"""The sample has as many windows as so many steps: without gradients these take about two thirds of a step's time."""


class QuickValidation(ProbeSource):
    """Evaluates the same windows all run long, evenly spread over the validation part, or all where these are fewer.

    It changes nothing that a step, the best model or early stopping depends on. Used by the trainer's thread alone.
    """

    def __init__(
        self,
        model: Transformer,
        corpus: Corpus,
        progress: Progress,
        config: Config,
        publish: Callable[[Event], None],
        took: Callable[[float], None],
    ) -> None:
        """`took` is called with the seconds that each one took."""
        self._model, self._corpus, self._progress = model, corpus, progress
        self._precision, self._publish, self._took = config.run.precision, publish, took
        sizes = config.optimizer
        self._at_once = sizes.batch_size
        self._inputs, self._targets = spread_windows(
            corpus.val, model.shape.context, STEPS_OF_WINDOWS * sizes.batch_size * sizes.accumulate
        )
        self._seconds = 0.0

    def exclusive(self, decision: Decision) -> Probe | None:
        return self._evaluate() if decision.evaluate_quickly else None

    def _evaluate(self) -> Probe:
        """Evaluate and publish, but where there is too little memory even for one window: exact evaluations tell it."""
        self._seconds = 0.0
        self._model.eval()
        try:
            losses = yield from self._losses()
        finally:
            self._model.train()
        self._took(self._seconds)
        if losses is not None:
            self._publish(self._event(losses))

    def _losses(self) -> Generator[None, None, np.ndarray | None]:
        """Those of the windows, in smaller batches where there is too little memory; None if that is of no use."""
        while True:
            try:
                return (yield from self._in_batches())
            except MemoryError:
                if self._at_once == 1:
                    return None
            self._at_once //= 2

    def _in_batches(self) -> Generator[None, None, np.ndarray]:
        """The mean loss of each window, with a yield between two batches; the device is waited for once, at the end."""
        losses: list[Tensor] = []
        for first in range(0, len(self._inputs), self._at_once):
            if losses:
                yield
            losses.append(self._timed(partial(self._batch_losses, first)))
        return self._timed(lambda: torch.cat(losses).cpu()).double().numpy()

    def _timed(self, work: Callable[[], Tensor]) -> Tensor:
        began = time.perf_counter()
        try:
            return within_memory(work)
        finally:
            self._seconds += time.perf_counter() - began

    @torch.no_grad()
    def _batch_losses(self, first: int) -> Tensor:
        device, rows = self._model.lm_head.weight.device, slice(first, first + self._at_once)
        inputs, targets = (torch.from_numpy(part[rows]).to(device) for part in (self._inputs, self._targets))
        with computing(self._precision, device):
            return self._model.row_losses(inputs, targets)

    def _event(self, losses: np.ndarray) -> Evaluation:
        loss = float(losses.mean())
        error = float(losses.std(ddof=1)) / math.sqrt(len(losses)) if len(losses) > 1 else math.nan
        return Evaluation(
            step=self._progress.step,
            train_loss=None,
            val_loss=finite(loss),
            perplexity=finite(perplexity(loss)),
            bits_per_byte=finite(bits_per_byte(loss, len(self._corpus.val) - 1, self._corpus.val_bytes)),
            best=False,
            part=SAMPLE,
            standard_error=finite(error),
        )
