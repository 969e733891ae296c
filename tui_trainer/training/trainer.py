"""The training loop: steps, and between them whatever is due or asked for."""

import time
from collections.abc import Callable
from typing import Final

from tui_trainer.config import Config
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.commands import (
    Command,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    Stop,
)
from tui_trainer.run.events import Alert, CheckpointSaved, CommandApplied, Event, StateChanged, Step
from tui_trainer.run.schedules import Schedule
from tui_trainer.training.checkpoints import BY_HAND, CheckpointStore, Progress
from tui_trainer.training.device import resources
from tui_trainer.training.errors import RunFailedError
from tui_trainer.training.inbox import Inbox
from tui_trainer.training.plan import tokens_per_step
from tui_trainer.training.sampler import Sampler
from tui_trainer.training.stepper import Stepper, StepResult
from tui_trainer.training.validation import Validation, known

RESOURCES_SECONDS: Final = 2.0

CHECKPOINT_SECONDS: Final = 600.0
"""However long the steps are, no more than this is lost."""

MAX_SKIPPED: Final = 10
"""Steps in a row without a finite loss and gradient after which a run has failed."""


OVERFLOWS: Final = 4
"""Skipped steps in a row that are no news in fp16, while the right scale of the loss is being found."""


class Trainer:
    """Carries one run from where `progress` stands to its end, and stays at the user's service until told to stop."""

    def __init__(
        self,
        config: Config,
        corpus: Corpus,
        model: Transformer,
        stepper: Stepper,
        progress: Progress,
        store: CheckpointStore,
        inbox: Inbox,
        publish: Callable[[Event], None],
    ) -> None:
        self._config = config
        self._corpus = corpus
        self._model = model
        self._stepper = stepper
        self._progress = progress
        self._store = store
        self._inbox = inbox
        self._publish = publish
        self._device = model.lm_head.weight.device
        plan = config.schedule
        self._schedule = Schedule(plan.schedule, config.optimizer.lr, plan.min_lr, plan.warmup, plan.steps)
        self._tokens_per_step = tokens_per_step(config)
        self._sampler = Sampler(model, corpus, config.sampling, config.run.seed, publish)
        self._sampler.temperature, self._sampler.prompt = progress.temperature, progress.prompt
        self._state = "running"
        self._single_step = False
        self._validation = Validation(model, corpus, progress, config.run.precision, config.run.patience, publish)
        self._weights_step = progress.step
        """The step whose weights the model has."""
        self._skipped = 0
        self._failed = False
        self._in_step = False
        self._saved = True
        """Whether the last attempt to save succeeded."""
        self._saved_at = time.monotonic()
        self._resources_at = 0.0

    def run(self) -> None:
        """Train to the end, then wait for a stop; raises RunFailedError, or whatever the machine throws at it."""
        self._model.train()
        self._change_state("running")
        try:
            self._loop()
        except Exception:
            # Weights that a step was changing are not worth keeping; all others are.
            if not self._in_step and self._saved:
                self._save("failed")
            raise

    def _loop(self) -> None:
        self._sampler.schedule(self._progress.step)
        # A checkpoint that was saved while its evaluation was given up.
        owed = self._progress.loss_count and self._progress.step % self._config.run.eval_every == 0
        if self._progress.step >= self._schedule.steps:
            self._finish("all steps taken")
        elif owed and (end := self._evaluate()):
            self._finish(end)
        while not self._obey(wait=self._idle):
            if self._stepping:
                self._advance()
            elif self._sampler.busy:
                self._sampler.advance(self._weights_step, lambda: self._inbox.pending)

    @property
    def _stepping(self) -> bool:
        return self._state == "running" or self._single_step

    @property
    def _idle(self) -> bool:
        return not self._stepping and not self._sampler.busy

    # -- commands ---------------------------------------------------------------------------------------------------

    def _obey(self, wait: bool) -> bool:
        """Apply every command that has arrived, or wait for one; whether one of them was to stop."""
        for command in self._inbox.take_all(wait):
            self._publish(
                CommandApplied(
                    step=self._progress.step, name=command.name, value=command.argument, source=command.source
                )
            )
            if isinstance(command, Stop):
                self._stop(command)
                return True
            self._apply(command)
        return False

    def _apply(self, command: Command) -> None:
        match command:
            case Pause() if self._state == "running":
                self._change_state("paused")
            case Resume() if self._state == "paused":
                self._change_state("running")
            case StepOnce() if self._state == "paused":
                self._single_step = True
            case SaveCheckpoint():
                self._save(BY_HAND)
            case SetTemperature(value=value):
                self._sampler.temperature = self._progress.temperature = value
            case SetPrompt(value=value):
                self._sampler.prompt = self._progress.prompt = value
            case Generate():
                self._sampler.request(self._weights_step)

    def _stop(self, command: Stop) -> None:
        unsaved = self._state == "finished" and not self._saved
        if (command.value or unsaved) and not self._save("stopped"):
            raise RunFailedError("The last checkpoint could not be saved, so the steps since the one before are lost.")
        if self._state != "finished":
            self._change_state("stopped", f"by {command.source}")

    def _change_state(self, state: str, reason: str = "") -> None:
        self._state = state
        self._publish(StateChanged(step=self._progress.step, state=state, reason=reason))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """One step and what is due after it."""
        progress = self._progress
        self._in_step = True
        taken = self._stepper.take(progress.step, self._schedule.at(progress.step), lambda: self._inbox.stopping)
        self._in_step = False
        if not taken:
            return
        self._single_step = False
        progress.step += 1
        self._weights_step = progress.step
        progress.tokens += self._tokens_per_step
        self._report(wait=self._pausing)
        self._sampler.advance(self._progress.step, lambda: self._inbox.pending)
        end = self._do_what_is_due()
        if end or progress.step >= self._schedule.steps:
            self._finish(end or "all steps taken")

    @property
    def _pausing(self) -> bool:
        """Whether no step may follow for a while, which would bring the news of this one."""
        return self._state != "running" or self._inbox.pending

    def _report(self, wait: bool) -> None:
        """Tell what is known of the steps taken; with `wait`, of all of them."""
        results = self._stepper.results(wait)
        for result in results:
            self._publish(
                Step(
                    step=result.step,
                    loss=known(result.loss),
                    lr=result.lr,
                    grad_norm=known(result.grad_norm),
                    weight_norm=known(result.weight_norm),
                    tokens=result.step * self._tokens_per_step,
                    step_seconds=result.seconds,
                    tokens_per_second=self._tokens_per_step / result.seconds,
                )
            )
            self._count(result)
        if self._skipped >= MAX_SKIPPED and not self._failed:
            self._failed = True
            raise RunFailedError(
                f"The loss was not finite for {MAX_SKIPPED} steps in a row: train again with a lower --lr than "
                f"{self._config.optimizer.lr:g}."
            )
        if time.monotonic() - self._resources_at > RESOURCES_SECONDS:
            self._resources_at = time.monotonic()
            self._publish(resources(self._device, self._progress.step))

    def _count(self, result: StepResult) -> None:
        if result.finite:
            self._skipped = 0
            self._progress.loss_sum += result.loss
            self._progress.loss_count += 1
            return
        self._skipped += 1
        if self._config.run.precision == "fp16" and self._skipped < OVERFLOWS:
            message = "A gradient was too large for fp16: the update was skipped, and the loss is scaled less now."
            self._alert("overflow", "info", message)
        else:
            self._alert("divergence", "error", "The loss or its gradient is not finite: the update was skipped.")

    def _do_what_is_due(self) -> str:
        """Evaluate, sample, save; why the run should end now, if it should."""
        step, config = self._progress.step, self._config
        end = self._evaluate() if step % config.run.eval_every == 0 else ""
        if step % config.sampling.sample_every == 0:
            self._sampler.schedule(step)
        waited = time.monotonic() - self._saved_at
        if (step % config.run.checkpoint_every == 0 or waited > CHECKPOINT_SECONDS) and not self._is_saved:
            self._save("periodic")
        return end

    def _finish(self, reason: str) -> None:
        """Judge, save and show what has been learned, unless a stop is asked for meanwhile."""
        self._report(wait=True)
        if self._progress.loss_count:
            self._evaluate()
        if self._inbox.stopping:
            return
        self._save("finished")
        self._write_samples()
        if self._take_best():
            reason += f"; the model is that of step {self._weights_step:,}, the best"
        self._sampler.schedule(self._weights_step)
        self._write_samples()
        self._change_state("finished", reason)

    def _take_best(self) -> bool:
        """Give the model, which nothing trains any more, the best weights, if those of the last step are not they."""
        best = self._store.best() if self._saved and self._progress.best_step != self._progress.step else None
        if best is None:
            return False
        self._model.load_qwen3_weights(best.weights)
        self._weights_step = best.progress.step
        return True

    def _write_samples(self) -> None:
        """Finish the sample being written and those that wait, unless a stop is asked for."""
        while self._sampler.busy and not self._inbox.stopping:
            self._sampler.advance(self._progress.step, lambda: self._inbox.stopping)

    # -- evaluation and checkpoints ---------------------------------------------------------------------------------

    def _evaluate(self) -> str:
        """Judge the model and keep it if it is the best; why the run should end now, if it should."""
        self._report(wait=True)
        verdict = self._validation.judge(lambda: self._inbox.stopping)
        if verdict.best:
            self._save("best")
        return verdict.end

    @property
    def _is_saved(self) -> bool:
        return self._store.path(self._progress.step).exists()

    def _save(self, reason: str) -> bool:
        """Save a checkpoint; a disk that refuses is an alert, not the end. Whether it was saved."""
        self._saved_at = time.monotonic()
        self._report(wait=True)
        try:
            tokenizer = self._corpus.tokenizer.to_json()
            path = self._store.save(self._model, self._stepper.state(), tokenizer, self._progress, reason)
        except OSError as error:
            self._saved = False
            self._alert("checkpoint", "error", f"The checkpoint could not be saved: {error.strerror or error}.")
            return False
        self._saved = True
        self._publish(CheckpointSaved(step=self._progress.step, path=str(path), reason=reason))
        return True

    def _alert(self, kind: str, severity: str, message: str) -> None:
        self._publish(Alert(step=self._progress.step, kind=kind, severity=severity, message=message))
