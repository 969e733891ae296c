"""Samples written in slices between training steps, from weights frozen when the sample began."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from tui_trainer.config import SamplingConfig
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.generation import Generation
from tui_trainer.model.transformer import Transformer
from tui_trainer.run import alerts
from tui_trainer.run.events import Event, PartialSample, Sample
from tui_trainer.training.decision import Decision
from tui_trainer.training.memory import free, within_memory
from tui_trainer.training.probes.frozen import FrozenModel
from tui_trainer.training.probes.scheduler import ProbeScheduler
from tui_trainer.training.probes.source import Interrupted, Probe, ProbeSource

PARTIAL_SECONDS: Final = 0.2

WAITING_LIMIT: Final = 8

TOO_MANY: Final = f"{WAITING_LIMIT} samples wait to be written, which is the most: ask for more when some are there."


class Sampler(ProbeSource):
    """A probe that writes one sample at a time; `temperature` and `prompt` may be changed between samples."""

    def __init__(
        self,
        model: Transformer,
        corpus: Corpus,
        config: SamplingConfig,
        seed: int,
        publish: Callable[[Event], None],
        scheduler: ProbeScheduler,
        step: Callable[[], int],
    ) -> None:
        """`step` gives the step whose weights the model has: a sample is of the one that it begins at."""
        self.temperature = config.temperature
        self.prompt = config.prompt
        self.model_name = ""
        """What the model that writes is called, at the end of a run that has two."""
        self._frozen = FrozenModel(model)
        self._corpus, self._length, self._top_k, self._seed = corpus, config.sample_tokens, config.top_k, seed
        self._asked = 0
        self._publish, self._scheduler, self._current_step = publish, scheduler, step
        self._probe: Probe | None = None
        self._generation: Generation | None = None
        self._waiting: deque[int] = deque()
        """Seeds of the samples to come."""
        self._short = False
        """Whether there was too little memory for the last sample."""
        self.scheduled_step: int | None = None
        self.published_step: int | None = None
        """Steps of the last regular sample that was begun, and that was published."""
        self._regular = False

    def known_part(self, prompt: str) -> str:
        """What samples can go on from of a prompt; what is left out is told in an alert."""
        used, unknown = self._corpus.tokenizer.known_part(prompt)
        if unknown:
            self._publish(alerts.prompt(self._current_step(), used, unknown))
        return used

    @property
    def busy(self) -> bool:
        return self._generation is not None

    def start_due(self, decision: Decision, interrupted: Interrupted) -> None:
        if decision.sample:
            self.write_regular(interrupted)

    def write_regular(self, interrupted: Interrupted, again: bool = False) -> None:
        """Begin the regular sample of this step, with the run's seed, after what was begun before, unless interrupted.

        One that has been begun before is not, except with `again`.
        """
        step = self._current_step()
        if again or self.scheduled_step != step:
            self.finish(interrupted)
            if not self.busy:
                self.scheduled_step = step
                self._begin(self._seed, regular=True)

    def write_asked(self) -> None:
        """Begin one more sample, with a seed of its own, now or after those that were asked for before.

        Where as many as may be wait already it is refused, with an alert.
        """
        if len(self._waiting) >= WAITING_LIMIT:
            self._publish(alerts.control(self._current_step(), TOO_MANY))
            return
        self._asked += 1
        seed = self._seed + self._asked
        if self.busy:
            self._waiting.append(seed)
        else:
            self._begin(seed)

    def finish(self, interrupted: Interrupted) -> None:
        """Write what has been begun or asked for to its end, unless interrupted."""
        if self._probe is not None and self.busy:
            self._scheduler.run(self._probe, interrupted)

    def drop(self) -> None:
        """Give up what has been begun or asked for."""
        self._generation = None
        self._frozen.drop()
        self._waiting.clear()

    def _write(self) -> Probe:
        """Write the sample token by token; then those that wait."""
        try:
            while self._generation is not None:
                self._within_memory(self._generation.advance)
                if self._generation is not None and self._generation.done:
                    self._publish_sample()
                    if self._waiting:
                        self._begin(self._waiting.popleft())
                self._show_partial()
                if self._generation is not None:
                    yield
        finally:
            self._probe = None

    def _begin(self, seed: int, regular: bool = False) -> None:
        self._step, self._sample_seed, self._regular = self._current_step(), seed, regular
        ids, self._used_prompt = self._encode_prompt()
        self._used_temperature, self._used_name = self.temperature, self.model_name
        self._shown = time.perf_counter()
        self._within_memory(lambda: self._start(ids))
        if self.busy and self._probe is None:
            self._probe = self._write()
            self._scheduler.add(self._probe)

    def _start(self, ids: list[int]) -> None:
        self._generation = Generation(
            self._frozen.freeze(), ids, self._length, self._used_temperature, self._top_k, self._sample_seed
        )

    def _within_memory(self, work: Callable[[], None]) -> None:
        """Do a part of a sample; if memory runs out, publish an alert, and drop it and those that wait."""
        try:
            within_memory(work)
        except MemoryError:
            self.drop()
            free()
            if not (self._regular and self._short):  # of consecutive regular ones only the first has an alert
                self._publish(alerts.memory(self._step, "The sample could not be made: not enough memory."))
            self._short = True

    def _encode_prompt(self) -> tuple[list[int], str]:
        """The prompt's ids, and the part of the prompt that they encode."""
        used, _ = self._corpus.tokenizer.known_part(self.prompt)
        return self._corpus.tokenizer.encode(used).tolist() or [int(self._corpus.train[0])], used

    def _publish_sample(self) -> None:
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
            self.published_step = max(self.published_step or 0, self._step)

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
