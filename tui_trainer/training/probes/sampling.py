"""Samples written in slices between training steps, from weights frozen when the sample began."""

import copy
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import torch

from tui_trainer.config import SamplingConfig
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.generation import Generation
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import Alert, Event, PartialSample, Sample
from tui_trainer.run.text import visible_line
from tui_trainer.training.memory import free, within_memory

SLICE_SECONDS: Final = 0.02
"""Training is held no longer than this, and the token in hand, for a sample."""

PARTIAL_SECONDS: Final = 0.2

WAITING_LIMIT: Final = 8


class Sampler:
    """Writes one sample at a time; `temperature` and `prompt` may be changed between samples."""

    def __init__(
        self, model: Transformer, corpus: Corpus, config: SamplingConfig, seed: int, publish: Callable[[Event], None]
    ) -> None:
        self.temperature = config.temperature
        self.prompt = config.prompt
        self.model_name = ""
        """What the model that writes is called, at the end of a run that has two."""
        self._model = model
        self._frozen: Transformer | None = None
        self._corpus = corpus
        self._length = config.sample_tokens
        self._top_k = config.top_k
        self._seed = seed
        self._asked = 0
        self._publish = publish
        self._generation: Generation | None = None
        self._waiting: deque[int] = deque(maxlen=WAITING_LIMIT)
        """Seeds of the samples to come."""
        self._reported = ""
        self._short = False
        """Whether there was too little memory for the last sample."""
        self.scheduled_step = self.published_step = -1
        """Steps of the last regular sample that was begun, and that was published."""
        self._regular = False

    @property
    def busy(self) -> bool:
        return self._generation is not None

    def schedule(self, step: int) -> None:
        """Begin the regular sample of `step`, with the run's seed; none may be being written."""
        assert not self.busy
        self.scheduled_step = step
        self._begin(step, self._seed, regular=True)

    def request(self, step: int) -> None:
        """Begin one more sample, with a seed of its own, now or after those that were asked for before."""
        self._asked += 1
        seed = self._seed + self._asked
        if self.busy:
            self._waiting.append(seed)
        else:
            self._begin(step, seed)

    def finish(self, step: int, interrupted: Callable[[], bool], seconds: float = math.inf) -> None:
        """Write what has been begun or asked for to its end, but for no longer than `seconds`, or until interrupted.

        A waiting sample that begins is one of `step`.
        """
        deadline = time.perf_counter() + seconds
        while self.busy and not interrupted() and time.perf_counter() < deadline:
            self.advance(step, interrupted)

    def drop(self) -> None:
        """Give up what has been begun or asked for."""
        self._generation = self._frozen = None
        self._waiting.clear()

    def advance(self, step: int, interrupted: Callable[[], bool], seconds: float = SLICE_SECONDS) -> None:
        """Write for about `seconds`, less when interrupted; a waiting sample that begins is one of `step`."""
        deadline = time.perf_counter() + seconds
        while self._generation is not None:
            self._within_memory(self._generation.advance)
            if self._generation is not None and self._generation.done:
                self._finish()
                if self._waiting:
                    self._begin(step, self._waiting.popleft())
            if interrupted() or time.perf_counter() > deadline:
                break
        self._show_partial()

    def _begin(self, step: int, seed: int, regular: bool = False) -> None:
        self._step, self._sample_seed, self._regular = step, seed, regular
        ids, self._used_prompt = self._encode_prompt()
        self._used_temperature, self._used_name = self.temperature, self.model_name
        self._shown = time.perf_counter()
        self._within_memory(lambda: self._start(ids))

    def _start(self, ids: list[int]) -> None:
        self._generation = Generation(
            self._freeze(), ids, self._length, self._used_temperature, self._top_k, self._sample_seed
        )

    def _within_memory(self, work: Callable[[], None]) -> None:
        """Do a part of a sample; one that there is no memory for is told, and dropped with those that wait for it."""
        try:
            within_memory(work)
        except MemoryError:
            self.drop()
            free()
            if not (self._regular and self._short):  # of regular ones the first in a row is told
                message = "The sample could not be made: not enough memory."
                self._publish(Alert(step=self._step, kind="memory", severity="warning", message=message))
            self._short = True

    def _freeze(self) -> Transformer:
        """A copy of the weights as they are now."""
        if self._frozen is None:
            self._frozen = copy.deepcopy(self._model).eval().requires_grad_(False)
            self._frozen.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_copy_(list(self._frozen.parameters()), list(self._model.parameters()))
        return self._frozen

    def _encode_prompt(self) -> tuple[list[int], str]:
        """The prompt's ids, and the part of it that they stand for."""
        ids, unknown = self._corpus.tokenizer.encode_prompt(self.prompt)
        if unknown and self.prompt != self._reported:
            self._reported = self.prompt
            message = f"The prompt has characters that the corpus never has, left out: {visible_line(unknown)}"
            self._publish(Alert(step=self._step, kind="prompt", severity="warning", message=message))
        if len(ids):
            return ids.tolist(), "".join(c for c in self.prompt if c not in unknown)
        return [int(self._corpus.train[0])], ""

    def _finish(self) -> None:
        assert self._generation is not None
        self._publish(
            Sample(
                step=self._step,
                prompt=self._used_prompt,
                text=self._corpus.tokenizer.decode(self._generation.tokens),
                temperature=self._used_temperature,
                top_k=self._top_k,
                seed=self._sample_seed,
                model=self._used_name,
            )
        )
        self._generation, self._short = None, False
        if self._regular:
            # Of the best model's, at the end of a run, the step is an earlier one.
            self.published_step = max(self.published_step, self._step)

    def _show_partial(self) -> None:
        if self._generation is None or time.perf_counter() - self._shown < PARTIAL_SECONDS:
            return
        self._shown = time.perf_counter()
        text = self._corpus.tokenizer.decode(self._generation.tokens)
        self._publish(
            PartialSample(
                step=self._step,
                prompt=self._used_prompt,
                text=text,
                temperature=self._used_temperature,
                model=self._used_name,
            )
        )
