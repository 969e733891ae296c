"""The training loop: steps, and between them whatever is due or asked for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tui_trainer.run import alerts
from tui_trainer.run.commands import Command, SetPrompt
from tui_trainer.run.events import CommandApplied
from tui_trainer.training.components import Components
from tui_trainer.training.decision import Decision
from tui_trainer.training.device import resources
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, RunFailedError
from tui_trainer.training.memory import smaller_batches_alert
from tui_trainer.training.planning.plan import tokens_per_step


class Trainer:
    """Trains one run from the step of its progress to its end, then applies commands until one is to stop."""

    def __init__(
        self, components: Components, handlers: "Mapping[type[Command], Callable[[Trainer, Any], None]]"
    ) -> None:
        self.components = components
        self._handlers = handlers
        self._progress, self._states, self._decisions = components.progress, components.states, components.decisions
        self._tokens_per_step = tokens_per_step(components.timetable.config)
        self._end_phases = components.end.phases(self._evaluate, self._share_time)
        self._in_step = False
        self.over = False
        """Set by the handler of a stop: the run has come to its end, or is left."""
        self.work_interrupted = False
        """Whether an evaluation or a sample was interrupted by a stop that could then not be saved."""
        self.fully_saved = True
        """Whether nothing is lost that was to be saved when the run was stopped."""

    def run(self) -> None:
        """Train to the end, then wait for a stop; raises RunFailedError, or any error of PyTorch or the system."""
        self.components.results.publish_lowered_schedule()
        self._states.change("running")
        try:
            self._loop()
        except Exception:
            self._save_failed()
            raise
        finally:
            self.components.saving.wait()

    def _save_failed(self) -> None:
        """Save the weights of a run that fails. Raises nothing: the error to report is the one that it failed with."""
        if self._in_step:  # a step may have changed some of the weights
            return
        self.components.probes.drop()  # it may be what failed, and would again
        try:
            if self.components.saving.wait():
                self.components.saving.save("failed")
        except Exception as error:
            message = f"The last steps could not be saved: {error}."
            self.components.publish(alerts.checkpoint(self._progress.step, message))

    def _loop(self) -> None:
        self.components.results.buffer_state()
        self._do_overdue()
        while not self.over:
            decision = self._decisions.decide(self._progress.step + 1, wait=self._idle)
            if decision.commands or decision.requests:
                self._apply(decision)
            elif decision.check_length:
                self._change_length()
            elif not self._states.stepping:
                self._share_time()
            elif self.components.end.reason:
                next(self._end_phases)
            elif self.work_interrupted:
                self._do_overdue()
            else:
                self._advance(decision)

    def _change_length(self) -> None:
        """Give the run another length if it needs one, and do what is due at this step of a run of that length."""
        self.components.length_change.apply()
        self._do_overdue()

    @property
    def _idle(self) -> bool:
        return not self._states.stepping and not self.components.probes.busy

    def _do_overdue(self) -> None:
        """Do what is due at this step, and has not been done as the run was resumed, replanned or interrupted here."""
        self.work_interrupted = False
        step = self._progress.step
        if self.components.end.reason:
            return
        decision = self._decisions.decide_overdue(step, self._progress.evaluated_step == step)
        self._run_exclusive(decision)
        self.components.probes.start_due(decision, self._decisions.interrupted)

    # -- commands ---------------------------------------------------------------------------------------------------

    def _apply(self, decision: Decision) -> None:
        """Begin to answer the requests of a decision, and apply its commands, up to a stop that ends the run."""
        for request in decision.requests:
            self.components.probes.add_request(request)
        self.components.results.publish_known()  # a pause may follow, and no step that would publish the last one
        for command in decision.commands:
            if self.over:
                break
            if isinstance(command, SetPrompt):
                command = replace(command, value=self.components.sampler.known_part(command.value))
            self.components.publish(_applied(command, self._progress.step))
            self._handlers[type(command)](self, command)

    def _apply_during_work(self) -> bool:
        """Answer requests and apply commands during long work; whether to stop that work."""
        decision = self._decisions.decide_during_work()
        self._apply(decision)
        return decision.stop or self.over

    # -- steps ------------------------------------------------------------------------------------------------------

    def _advance(self, decision: Decision) -> None:
        """One step and what is due after it."""
        progress = self._progress
        if not self._take_step():
            return
        self._states.single_steps = max(0, self._states.single_steps - 1)
        progress.step += 1
        progress.tokens += self._tokens_per_step
        self.components.results.publish_known(wait=self._states.state != "running")
        if decision.publish_resources:
            self.components.publish(resources(self.components.stepper.device, progress.step))
            self._decisions.note_resources()
        self.components.results.buffer_state()
        self._share_time(stepping=not self.components.end.reason)
        if not self.components.end.reason:
            self._do_what_is_due(decision)

    def _take_step(self) -> bool:
        """Whether the step was taken: not so when interrupted, or when it has to be tried again with less memory."""
        self._in_step = True
        try:
            taken = self.components.stepper.take(
                self._progress.step, self.components.results.lr, self._decisions.interrupted
            )
        except MemoryError as error:
            self._in_step = taken = False
            self._split_batches(error)
        self._in_step = False
        return taken

    def _split_batches(self, error: MemoryError) -> None:
        """Make steps of smaller micro-batches; raises RunFailedError when there are none."""
        sizes = self.components.stepper.split()
        if sizes is None:
            raise RunFailedError(NOT_ENOUGH_MEMORY) from error
        self._progress.batch_size, self._progress.accumulate = sizes
        self.components.publish(smaller_batches_alert(self._progress.step, *sizes))

    def _do_what_is_due(self, decision: Decision) -> None:
        """Evaluate, save, sample."""
        self._run_exclusive(decision)
        if self.components.end.reason:
            return
        if decision.save:
            self.components.saving.save_new(decision.save)
        self.components.probes.start_due(decision, self._decisions.interrupted)

    # -- probes -----------------------------------------------------------------------------------------------------

    def _share_time(self, stepping: bool = False) -> None:
        """Between two steps with `stepping`, else while none is taken."""
        self.components.probes.share(self._arrived, stepping)

    def _evaluate(self) -> None:
        self._run_exclusive(Decision(evaluate=True))

    def _run_exclusive(self, decision: Decision) -> None:
        """Run to its end what is due and needs the weights of this very step, unless the run is to stop."""
        for probe in self.components.probes.exclusive(decision):
            self.components.results.publish_known()
            with self._states.held():
                self.components.probes.run_exclusive(probe, self._apply_during_work, self._arrived)

    def _arrived(self) -> bool:
        return self._decisions.interrupted(by_any=True)


def _applied(command: Command, step: int) -> CommandApplied:
    return CommandApplied(step=step, name=command.name, value=command.argument, source=command.source)
