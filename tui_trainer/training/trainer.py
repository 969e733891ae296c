"""The training loop: steps, and between them whatever is due or asked for."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
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
    UseModel,
)
from tui_trainer.run.events import BEST, LAST, Activity, Alert, CommandApplied, Event, StateChanged
from tui_trainer.training.checkpoints.format import Contents
from tui_trainer.training.checkpoints.saver import Saver
from tui_trainer.training.checkpoints.store import BY_HAND, CheckpointStore
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.device import resources
from tui_trainer.training.ending import EndModels
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, RunFailedError
from tui_trainer.training.memory import smaller_batches_alert
from tui_trainer.training.planning.plan import tokens_per_step
from tui_trainer.training.planning.replan import LengthCheck
from tui_trainer.training.planning.timetable import Timetable, schedule_event
from tui_trainer.training.probes.sampling import Sampler
from tui_trainer.training.probes.validation import Validation
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback import Rollback
from tui_trainer.training.recovery.rollback_buffer import RollbackState
from tui_trainer.training.step.reports import StepReports
from tui_trainer.training.step.stepper import Stepper, StepResult

RESOURCES_SECONDS: Final = 2.0

CHECKPOINT_SECONDS: Final = 600.0
"""However long the steps are, no more than this is lost."""

RETRY_SECONDS: Final = 30.0
"""When a checkpoint that could not be saved is tried again."""

PEOPLE: Final = ("keyboard", "attached", "command line")
"""Sources of commands that can be asked again."""

SAMPLE_SECONDS: Final = 1.0
"""How long a checkpoint may wait for a sample to be finished."""

ALL_TAKEN: Final = "all steps taken"

LAST_SAMPLES: Final = "last samples"
"""What a run is said to do at its end, when the header has no more steps to count."""


class Trainer:
    """Takes one run from where `progress` stands to its end, then answers commands until one is to stop."""

    def __init__(
        self,
        config: Config,
        corpus: Corpus,
        model: Transformer,
        stepper: Stepper,
        progress: Progress,
        store: CheckpointStore,
        command_queue: CommandQueue,
        publish: Callable[[Event], None],
        length_check: LengthCheck | None = None,
        kept: Sequence[RollbackState] = (),
    ) -> None:
        """`kept` are the states that a resumed run can roll back to."""
        self._timetable = Timetable(config)
        self._length_check = length_check
        self._corpus = corpus
        self._model = model
        self._stepper = stepper
        self._progress = progress
        self._command_queue = command_queue
        self._publish = publish
        self._device = model.lm_head.weight.device
        self._tokens_per_step = tokens_per_step(config)
        self._sampler = Sampler(model, corpus, config.sampling, config.run.seed, publish)
        self._sampler.temperature, self._sampler.prompt = progress.temperature, progress.prompt
        self._sampler.scheduled_step = self._sampler.published_step = progress.sampled_step
        self._state = self._published_state = ("", "", "")
        """The state, the reason for it, the model at the end: what they are, and what was last published."""
        self._evaluating = False
        self._single_steps = 0
        """Steps that a paused run is to take."""
        self._validation = Validation(model, corpus, progress, config.run.precision, config.run.patience, publish)
        self._in_step = False
        self._over = False
        self._interrupted = False
        """Whether an evaluation or a sample was given up for a stop that was then refused."""
        self._end_parts = self._end_in_parts()
        self._end_saved = False
        self.fully_saved = True
        """Whether nothing is lost that was to be saved when the run was stopped."""
        self._models = EndModels(model, stepper, progress, store)
        self._saver = Saver(store, publish, replace(progress) if progress.step else None)
        precision, policy, steps = config.run.precision, config.run.on_divergence, self._timetable.steps
        self._rollback = Rollback(model, stepper, progress, steps, precision, policy, kept, store.before)
        watchers = [self._watch, *([] if length_check is None else [length_check.watch])]
        self._reports = StepReports(stepper, progress, precision, self._tokens_per_step, publish, watchers)
        self._saved_at = time.monotonic()
        self._resources_at = 0.0

    def run(self) -> None:
        """Train to the end, then wait for a stop; raises RunFailedError, or whatever the machine throws at it."""
        self._model.train()
        self._publish_rollback_schedule()
        self._change_state("running")
        try:
            self._loop()
        except Exception:
            self._save_failed()
            raise
        finally:
            self._saver.wait()

    def _save_failed(self) -> None:
        """Save what a run that fails has learned. Raises nothing: the error that it failed with is the one to tell."""
        if self._in_step:  # weights that a step was changing are not worth keeping
            return
        self._sampler.drop()  # it may be what failed, and would again
        try:
            if self._saver.wait():
                self._save("failed")
        except Exception as error:
            self._alert("checkpoint", "error", f"The last steps could not be saved: {error}.")

    def _loop(self) -> None:
        self._keep()
        self._make_up()
        while not self._over and not self._obey(wait=self._idle):
            if not self._stepping:
                self._sampler.advance(self._models.step, lambda: self._command_queue.pending)
            elif self._end_reason:
                next(self._end_parts)
            elif self._interrupted:
                self._make_up()
            else:
                self._advance()

    def _make_up(self) -> None:
        """Do what is due at this step and was given up for a stop."""
        self._interrupted = False
        if self._end_reason:
            return
        if self._timetable.evaluation_due(self._progress):
            self._evaluate()
        self._sample_if_due()

    @property
    def _stepping(self) -> bool:
        return self._state[0] == "running" or self._single_steps > 0

    @property
    def _end_reason(self) -> str:
        """Why no further step is to be taken; empty while there are steps to take."""
        if self._progress.step >= self._timetable.steps:
            return ALL_TAKEN
        return self._validation.out_of_patience

    @property
    def _idle(self) -> bool:
        return not self._stepping and not self._sampler.busy

    # -- commands ---------------------------------------------------------------------------------------------------

    def _obey(self, wait: bool) -> bool:
        """Apply every command that has arrived, or wait for one; whether one of them was to stop."""
        for command in self._command_queue.take(wait):
            self._publish(
                CommandApplied(
                    step=self._progress.step, name=command.name, value=command.argument, source=command.source
                )
            )
            if isinstance(command, Stop):
                self._over = self._stop(command)
                return self._over
            self._apply(command)
        return False

    def _attend(self) -> bool:
        """Amid long work do what is asked, but for stopping; whether to give the work up for that."""
        return self._command_queue.stopping or self._obey(wait=False)

    def _apply(self, command: Command) -> None:
        state = self._state[0]
        match command:
            case Pause() if state == "running" and not self._end_saved:  # after that only a sample is left to write
                self._change_state("paused")
            case Pause():
                self._single_steps = 0
            case Resume() if state == "paused":
                self._single_steps = 0
                self._change_state("running")
            case StepOnce() if state == "paused":
                self._single_steps += 1
            case SaveCheckpoint():
                self._save(BY_HAND)
            case SetTemperature(value=value):
                self._sampler.temperature = self._progress.temperature = value
            case SetPrompt(value=value):
                self._sampler.prompt = self._progress.prompt = value
            case UseModel(value=name) if state == "finished":
                self._use_model(name)
                self._publish_finished()
            case Generate():
                self._sampler.request(self._models.step)

    def _stop(self, command: Stop) -> bool:
        """Whether the run is over: not so when a person wanted its last steps saved, and the disk refuses."""
        if self._end_saved:
            self._publish_finished()
        state = self._state[0]
        self._saver.wait()
        to_save = command.value or (state == "finished" and not self._saver.has(self._progress))
        if to_save and not self._save_last():
            if command.source not in PEOPLE:
                raise RunFailedError("The last checkpoint could not be saved: the steps since the one before are lost.")
            self._command_queue.cancel_stop()
            self._interrupted = True
            self._alert("stop", "error", "Not stopped, as nothing could be saved: make room and try again.")
            if state == "running":
                self._change_state("paused", "it could not be saved")
            return False
        self.fully_saved = not to_save or self._saver.has(self._progress)
        if state != "finished":
            self._change_state("stopped", f"by {command.source}")
        return True

    def _save_last(self) -> bool:
        """Save before the run is over; whether the weights of its last step are saved, now or before."""
        self._save("finished" if self._progress.finished else "stopped").wait()
        return self._saver.saved_step == self._progress.step

    def _change_state(self, state: str, reason: str = "", model: str = "") -> None:
        """An evaluation goes on to its end in any state: one that changes meanwhile is published after its result."""
        self._state = state, reason, model
        if not self._evaluating:
            self._publish_state()

    def _publish_state(self) -> None:
        if self._state != self._published_state:
            self._published_state = state, reason, model = self._state
            self._publish(StateChanged(step=self._progress.step, state=state, reason=reason, model=model))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """One step and what is due after it."""
        progress = self._progress
        if not self._take_step(self._timetable.schedule.at(progress.step) * self._rollback.lr_factor):
            return
        self._single_steps = max(0, self._single_steps - 1)
        progress.step += 1
        progress.tokens += self._tokens_per_step
        self._report(wait=self._pausing or self._rollback.due)
        if self._length_check is not None and self._length_check.due:
            self._check_length(self._length_check)
        self._keep()
        self._sampler.advance(self._progress.step, lambda: self._command_queue.pending)
        if not self._end_reason:
            self._do_what_is_due()

    def _take_step(self, lr: float) -> bool:
        """Whether the step was taken: not so when interrupted, or when it has to be tried again with less memory."""
        self._in_step = True
        try:
            taken = self._stepper.take(self._progress.step, lr, lambda: self._command_queue.stopping)
        except MemoryError as error:
            self._in_step = taken = False
            self._split_batches(error)
        self._in_step = False
        return taken

    def _split_batches(self, error: MemoryError) -> None:
        """Make steps of smaller micro-batches; raises RunFailedError when there are none."""
        sizes = self._stepper.split()
        if sizes is None:
            raise RunFailedError(NOT_ENOUGH_MEMORY) from error
        self._progress.batch_size, self._progress.accumulate = sizes
        self._publish(smaller_batches_alert(self._progress.step, *sizes))

    def _keep(self) -> None:
        if warning := self._rollback.keep():
            self._alert("memory", "warning", warning)

    def _roll_back(self) -> None:
        """Undo what harmed the run, in the way the user chose."""
        try:
            self._alert("divergence", "error", self._rollback.roll_back())
        except RunFailedError as error:
            self._alert("divergence", "error", str(error))
            raise
        self._publish_rollback_schedule()
        if self._timetable.config.run.on_divergence == "pause":
            self._change_state("paused", "the run diverged")

    def _publish_rollback_schedule(self) -> None:
        """Publish the learning rates to come while they are lower than planned."""
        if self._rollback.lr_factor != 1:
            self._publish_schedule()

    def _publish_schedule(self, reason: str = "") -> None:
        factor, until = self._rollback.lr_factor, self._progress.lr_factor_until
        schedule = replace(self._timetable.schedule, factor=factor, until=until if factor != 1 else 0)
        self._publish(schedule_event(schedule, self._progress.step, reason))

    @property
    def _pausing(self) -> bool:
        """Whether no step may follow for a while, which would bring the news of this one."""
        return self._state[0] != "running" or self._command_queue.pending

    def _report(self, wait: bool) -> None:
        """Tell what is known of the steps taken, of all of them with `wait`; undo them if they did harm."""
        self._reports.publish_known(wait)
        if self._rollback.trouble:
            self._reports.publish_known(
                wait=True
            )  # of those that are under way too, as they are undone with the others
            self._roll_back()
        if time.monotonic() - self._resources_at > RESOURCES_SECONDS:
            self._resources_at = time.monotonic()
            self._publish(resources(self._device, self._progress.step))

    def _watch(self, result: StepResult) -> None:
        self._rollback.watch(result)
        if self._rollback.advice:
            self._alert("clipping", "warning", self._rollback.advice)

    def _check_length(self, check: LengthCheck) -> None:
        """Give the run another length where it would not keep to its minutes."""
        judgement = check.judge(self._timetable.config, self._progress.step)
        if judgement is None:
            return
        config = judgement.config
        if config is None or not check.store(config, lambda: self._save_with_length(config.schedule.steps)):
            self._alert("pace", judgement.severity, judgement.unchanged)
            return
        self._alert("pace", judgement.severity, judgement.changed)
        self._timetable.replan(config)
        self._rollback.set_length(self._timetable.steps)
        self._publish_schedule(judgement.reason)

    def _save_with_length(self, steps: int) -> bool:
        """Save a checkpoint of a run that has so many steps in all; if that fails, the run has as many as before."""
        before, self._progress.planned_steps = self._progress.planned_steps, steps
        if self._save("periodic").wait():
            return True
        self._progress.planned_steps = before
        return False

    def _do_what_is_due(self) -> None:
        """Evaluate, save, sample."""
        if self._timetable.evaluation_due(self._progress):
            self._evaluate()
        if self._end_reason:
            return
        step = self._progress.step
        waited = time.monotonic() - self._saved_at
        retry = self._saver.refused and waited > RETRY_SECONDS
        due = self._timetable.checkpoint_due(step) or waited > CHECKPOINT_SECONDS or retry
        if due and self._saver.step != step:
            self._save("periodic")
        self._sample_if_due()

    def _sample_if_due(self) -> None:
        if self._timetable.sample_due(self._progress.step):
            self._sample()

    def _sample(self, again: bool = False) -> None:
        """Begin the regular sample of this step, after what was begun before, unless a stop is asked for.

        One that has been begun before is not, except with `again`.
        """
        if again or self._sampler.scheduled_step != self._models.step:
            self._sampler.finish(self._models.step, lambda: self._command_queue.stopping)
            if not self._sampler.busy:
                self._sampler.schedule(self._models.step)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _end_in_parts(self) -> Iterator[None]:
        """Evaluate, save and show what has been learned, in parts between which commands are obeyed.

        Each part depends on nothing but `progress` and the checkpoints, so a run that was cut amid its end has the
        same end when it is resumed. What is being sampled comes first, as a checkpoint does not keep it.
        """
        self._report(wait=True)
        self._publish_activity(LAST_SAMPLES)
        yield
        yield from self._sample_to_end()
        if self._saver.saved_step != self._progress.step:
            self._save("periodic")
        while self._progress.evaluated_step != self._progress.step:
            self._evaluate()
            yield
        if not self._models.differ:  # else the sample of the best model comes first, once it is read
            self._publish_activity(LAST_SAMPLES)
            self._sample_if_due()
            yield from self._sample_to_end()
        if self._rollback.ending:
            self._alert("divergence", "warning", self._rollback.ending)
        self._progress.finished = True
        self._publish_activity("saving")
        self._save("finished")
        if self._saver.wait() and (warning := self._models.load_best()):
            self._alert("checkpoint", "warning", warning)
        self._end_saved = True
        self._publish_activity(LAST_SAMPLES)
        # The last model's comes last, as the newest is what is seen first.
        for name in (BEST, LAST) if self._models.both else (LAST,):
            self._use_model(name)
            self._sample(again=self._models.both)
            yield from self._sample_to_end()
        self._use_model(BEST)
        self._publish_finished()
        yield

    def _use_model(self, name: str) -> None:
        self._models.use(name)
        self._sampler.model_name = self._models.name

    def _publish_finished(self) -> None:
        """Tell that the run is finished, and which of its models it has."""
        both = self._models.both
        reason = self._end_reason + (f"; best by validation at step {self._progress.best_step:,}" if both else "")
        self._single_steps = 0
        self._change_state("finished", reason, self._models.name if both else "")

    def _sample_to_end(self) -> Iterator[None]:
        while self._sampler.busy:
            self._sampler.advance(self._models.step, lambda: self._command_queue.pending)
            yield

    # -- evaluation and checkpoints ---------------------------------------------------------------------------------

    def _evaluate(self) -> None:
        """Judge the model, and keep it if it is the best."""
        self._report(wait=True)
        self._evaluating = True
        self._publish_activity("validating")
        try:
            if self._validation.judge(self._attend):
                self._save("best")
        finally:
            self._evaluating = False
            self._publish_activity("")
            self._publish_state()

    def _save(self, reason: str) -> Saver:
        """Begin to save a checkpoint; a disk that refuses is an alert, not the end."""
        self._saved_at = time.monotonic()
        self._report(wait=True)
        # A sample is of weights that no checkpoint has: what was begun before this one is not to be lost.
        self._sampler.finish(self._models.step, lambda: False, SAMPLE_SECONDS)
        self._saver.save(self._progress.step, self._contents, reason)
        return self._saver

    def _contents(self) -> Contents:
        """A copy of all that a checkpoint holds."""
        copy = self._models.last()
        tokenizer = self._corpus.tokenizer.to_json()
        progress = replace(self._progress, sampled_step=self._sampler.published_step)
        return Contents(progress, copy.weights, copy.state, self._model.shape, tokenizer, self._rollback.kept)

    def _publish_activity(self, doing: str) -> None:
        self._publish(Activity(step=self._progress.step, doing=doing))

    def _alert(self, kind: str, severity: str, message: str) -> None:
        self._publish(Alert(step=self._progress.step, kind=kind, severity=severity, message=message))
