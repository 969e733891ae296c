"""The training loop: steps, and between them whatever is due or asked for."""

import math
import time
from collections.abc import Callable
from typing import Final

import torch

from tui_trainer.config import Config
from tui_trainer.corpus.batches import Batches
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
from tui_trainer.run.diagnosis import bits_per_byte, perplexity
from tui_trainer.run.events import Alert, CheckpointSaved, CommandApplied, Evaluation, Event, StateChanged, Step
from tui_trainer.run.schedules import Schedule
from tui_trainer.training.checkpoints import BY_HAND, CheckpointStore, Progress
from tui_trainer.training.device import resources
from tui_trainer.training.evaluation import evaluate
from tui_trainer.training.inbox import Inbox
from tui_trainer.training.sampler import Sampler
from tui_trainer.training.stepper import Stepper, StepResult

RESOURCES_SECONDS: Final = 2.0
MAX_SKIPPED: Final = 10
"""Steps in a row without a finite loss and gradient after which a run has failed."""


class DivergedError(RuntimeError):
    """Training cannot go on; the sentence says why and what to try."""


def _known(number: float) -> float | None:
    """A number as events carry it: None stands for one that is not finite, in the journal and on the screen."""
    return number if math.isfinite(number) else None


class Trainer:
    """Carries one run from where `progress` stands to its end, and stays at the user's service until told to stop."""

    def __init__(
        self,
        config: Config,
        corpus: Corpus,
        model: Transformer,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
        store: CheckpointStore,
        inbox: Inbox,
        publish: Callable[[Event], None],
    ) -> None:
        self._config = config
        self._corpus = corpus
        self._model = model
        self._optimizer = optimizer
        self._progress = progress
        self._store = store
        self._inbox = inbox
        self._publish = publish
        self._device = model.lm_head.weight.device
        plan = config.schedule
        self._schedule = Schedule(plan.schedule, config.optimizer.lr, plan.min_lr, plan.warmup, plan.steps)
        seed = config.run.seed
        batches = Batches(corpus.train, config.model.context, config.optimizer.batch_size, seed)
        self._stepper = Stepper(model, optimizer, batches, config.optimizer.accumulate, config.optimizer.clip, seed)
        self._tokens_per_step = config.optimizer.batch_size * config.optimizer.accumulate * config.model.context
        self._sampler = Sampler(model, corpus, config.sampling, seed, publish)
        self._sampler.temperature, self._sampler.prompt = progress.temperature, progress.prompt
        self._state = "running"
        self._single_step = False
        self._evaluated_at = -1
        self._skipped = 0
        self._resources_at = 0.0

    def run(self) -> None:
        """Train to the end, then wait for a stop; raises DivergedError, or whatever the machine throws at it."""
        self._model.train()
        self._change_state("running")
        self._sampler.schedule(self._progress.step)
        while not self._obey(wait=self._idle):
            if self._stepping:
                self._advance()
            elif self._sampler.busy:
                self._sampler.advance(self._progress.step, lambda: self._inbox.pending)

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
                self._sampler.request(self._progress.step)

    def _stop(self, command: Stop) -> None:
        if command.value:
            self._save("stopped")
        if self._state != "finished":
            self._change_state("stopped", f"by {command.source}")

    def _change_state(self, state: str, reason: str = "") -> None:
        self._state = state
        self._publish(StateChanged(step=self._progress.step, state=state, reason=reason))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """One step and what is due after it."""
        progress = self._progress
        lr = self._schedule.at(progress.step)
        result = self._stepper.take(progress.step, lr, lambda: self._inbox.stopping)
        if result is None:
            return
        self._single_step = False
        progress.step += 1
        progress.tokens += self._tokens_per_step
        self._report(result, lr)
        self._check_finite(result)
        self._sampler.advance(self._progress.step, lambda: self._inbox.pending)
        self._do_what_is_due()
        if progress.step >= self._schedule.steps:
            self._finish("all steps taken")

    def _report(self, result: StepResult, lr: float) -> None:
        step = self._progress.step
        self._publish(
            Step(
                step=step,
                loss=_known(result.loss),
                lr=lr,
                grad_norm=_known(result.grad_norm),
                weight_norm=_known(result.weight_norm),
                tokens=self._progress.tokens,
                step_seconds=result.seconds,
                tokens_per_second=self._tokens_per_step / result.seconds,
            )
        )
        if time.monotonic() - self._resources_at > RESOURCES_SECONDS:
            self._resources_at = time.monotonic()
            self._publish(resources(self._device, step))

    def _check_finite(self, result: StepResult) -> None:
        if result.finite:
            self._skipped = 0
            self._progress.loss_sum += result.loss
            self._progress.loss_count += 1
            return
        self._skipped += 1
        self._alert("divergence", "error", "The loss or its gradient is not finite: the update was skipped.")
        if self._skipped >= MAX_SKIPPED:
            raise DivergedError(
                f"The loss was not finite for {MAX_SKIPPED} steps in a row: train again with a lower --lr than "
                f"{self._config.optimizer.lr:g}."
            )

    def _do_what_is_due(self) -> None:
        step, config = self._progress.step, self._config
        if step % config.run.eval_every == 0:
            self._evaluate()
        if step % config.sampling.sample_every == 0:
            self._sampler.schedule(step)
        if step % config.run.checkpoint_every == 0 and not self._store.path(step).exists():
            self._save("periodic")

    def _finish(self, reason: str) -> None:
        """Judge, show and save what has been learned."""
        if self._evaluated_at != self._progress.step:
            self._evaluate()
        if self._state == "finished":
            return
        self._write_samples()
        self._sampler.schedule(self._progress.step)
        self._write_samples()
        self._save("finished")
        self._change_state("finished", reason)

    def _write_samples(self) -> None:
        """Finish the sample being written and those that wait, unless a stop is asked for."""
        while self._sampler.busy and not self._inbox.stopping:
            self._sampler.advance(self._progress.step, lambda: self._inbox.stopping)

    # -- evaluation and checkpoints ---------------------------------------------------------------------------------

    def _evaluate(self) -> None:
        loss = evaluate(self._model, self._corpus.val, self._device, lambda: self._inbox.stopping)
        if loss is None:
            return
        progress = self._progress
        self._evaluated_at = progress.step
        best = math.isfinite(loss) and (progress.best_loss is None or loss < progress.best_loss)
        self._publish(
            Evaluation(
                step=progress.step,
                train_loss=progress.loss_sum / progress.loss_count if progress.loss_count else None,
                val_loss=_known(loss),
                perplexity=_known(perplexity(loss)),
                bits_per_byte=_known(bits_per_byte(loss, len(self._corpus.val) - 1, self._corpus.val_bytes)),
                best=best,
            )
        )
        progress.loss_sum, progress.loss_count = 0.0, 0
        if best:
            progress.best_loss, progress.best_step, progress.evaluations_since_best = loss, progress.step, 0
            self._save("best")
            return
        progress.evaluations_since_best += 1
        self._watch_overfitting()

    def _watch_overfitting(self) -> None:
        stale, patience = self._progress.evaluations_since_best, self._config.run.patience
        if patience and stale >= patience:
            self._finish(f"validation loss has not improved for {stale} evaluations")
        elif stale == 3:
            message = (
                f"Validation loss has not improved since step {self._progress.best_step:,}: it may be overfitting."
            )
            self._alert("overfitting", "warning", message)

    def _save(self, reason: str) -> None:
        """Save a checkpoint; a disk that refuses is an alert, not the end."""
        try:
            tokenizer = self._corpus.tokenizer.to_json()
            path = self._store.save(self._model, self._optimizer, tokenizer, self._progress, reason)
        except OSError as error:
            self._alert("checkpoint", "error", f"The checkpoint could not be saved: {error.strerror or error}.")
            return
        self._publish(CheckpointSaved(step=self._progress.step, path=str(path), reason=reason))

    def _alert(self, kind: str, severity: str, message: str) -> None:
        self._publish(Alert(step=self._progress.step, kind=kind, severity=severity, message=message))
