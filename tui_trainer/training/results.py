"""The results of steps: published as events, and checked for divergence, which causes a rollback."""

from collections.abc import Callable
from dataclasses import replace

from tui_trainer.run import alerts
from tui_trainer.run.events import Event
from tui_trainer.training.errors import RunFailedError
from tui_trainer.training.planning.timetable import Timetable, schedule_event
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback import Rollback
from tui_trainer.training.states import RunStates
from tui_trainer.training.step.reports import StepReports
from tui_trainer.training.step.stepper import StepResult


class Results:
    """Publishes results when the device has delivered them, and rolls back a run that diverges.

    Used by the trainer's thread alone.
    """

    def __init__(
        self,
        reports: StepReports,
        rollback: Rollback,
        timetable: Timetable,
        progress: Progress,
        states: RunStates,
        publish: Callable[[Event], None],
    ) -> None:
        self._reports, self._rollback, self._timetable = reports, rollback, timetable
        self._progress, self._states, self._publish = progress, states, publish
        reports.callbacks.append(self._on_step)

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self._timetable.schedule.at(self._progress.step) * self._rollback.lr_factor

    def publish_known(self, wait: bool = True) -> None:
        """Publish the results that have arrived, or all of them with `wait`; roll back if the run diverges."""
        self._reports.publish_known(wait or self._rollback.due)
        if self._rollback.trouble:
            self._reports.publish_known(wait=True)  # the steps under way are undone, too
            self._roll_back()

    def buffer_state(self) -> None:
        """Copy the state of this step to the rollback buffer, if that is due."""
        if warning := self._rollback.buffer_state():
            self._publish(alerts.memory(self._progress.step, warning))

    def publish_schedule(self, reason: str = "") -> None:
        """Publish the schedule of the steps to come."""
        factor, until = self._rollback.lr_factor, self._progress.lr_factor_until
        schedule = replace(self._timetable.schedule, factor=factor, until=until if factor != 1 else 0)
        self._publish(schedule_event(schedule, self._progress.step, reason))

    def publish_lowered_schedule(self) -> None:
        """Publish the schedule if a rollback has lowered the learning rate."""
        if self._rollback.lr_factor != 1:
            self.publish_schedule()

    def _roll_back(self) -> None:
        """Apply the policy that the user chose for divergence, and publish what was done."""
        try:
            self._publish(alerts.divergence(self._progress.step, self._rollback.roll_back()))
        except RunFailedError as error:
            self._publish(alerts.divergence(self._progress.step, str(error)))
            raise
        self.publish_lowered_schedule()
        if self._timetable.config.run.on_divergence == "pause":
            self._states.change("paused", "the run diverged")

    def _on_step(self, result: StepResult) -> None:
        self._rollback.on_step(result)
        if self._rollback.advice:
            self._publish(alerts.clipping(self._progress.step, self._rollback.advice))
