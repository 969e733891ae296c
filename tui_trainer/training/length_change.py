"""Gives a run that does not keep to its minutes another length, once."""

from collections.abc import Callable

from tui_trainer.run import alerts
from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import Event
from tui_trainer.training.planning.replan import LengthCheck
from tui_trainer.training.planning.timetable import Timetable
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback import Rollback
from tui_trainer.training.results import Results
from tui_trainer.training.saving import Saving


class LengthChange:
    """Applies the result of a LengthCheck, if the run has one. Used by the trainer's thread alone."""

    def __init__(
        self,
        check: LengthCheck | None,
        progress: Progress,
        timetable: Timetable,
        rollback: Rollback,
        saving: Saving,
        results: Results,
        publish: Callable[[Event], None],
    ) -> None:
        self._check, self._progress, self._timetable = check, progress, timetable
        self._rollback, self._saving, self._results, self._publish = rollback, saving, results, publish

    def apply(self) -> None:
        """Change the length of the run if it would not keep to its minutes."""
        if (
            self._check is None
            or (new_length := self._check.check(self._timetable.config, self._progress.step)) is None
        ):
            return
        config = new_length.config
        if config is None or not self._check.store(
            config, lambda: self._saving.save_with_length(config.schedule.steps)
        ):
            self._publish(alerts.pace(self._progress.step, new_length.message_if_kept, Severity(new_length.severity)))
            return
        self._publish(alerts.pace(self._progress.step, new_length.message_if_changed, Severity(new_length.severity)))
        self._timetable.replan(config)
        self._rollback.set_length(self._timetable.steps)
        self._results.publish_schedule(new_length.reason)
