"""The end of a run: what is evaluated, saved and shown once all steps are taken."""

from collections.abc import Callable, Iterator
from typing import Final

from tui_trainer.run import alerts
from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import BEST, LAST, PERIODIC, Activity, Event
from tui_trainer.training.decision_maker import DecisionMaker
from tui_trainer.training.end_models import EndModels
from tui_trainer.training.planning.timetable import Timetable
from tui_trainer.training.probes.sampling import Sampler
from tui_trainer.training.probes.validation import Validation
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback import Rollback
from tui_trainer.training.results import Results
from tui_trainer.training.saving import Saving
from tui_trainer.training.states import RunStates

ALL_TAKEN: Final = "all steps taken"

LAST_SAMPLES: Final = "last samples"
"""The activity shown at the end of a run, when the header has no more steps to count."""


class RunEnd:
    """Ends a run in phases, between which the trainer applies commands. Used by the trainer's thread alone."""

    def __init__(
        self,
        progress: Progress,
        timetable: Timetable,
        validation: Validation,
        models: EndModels,
        sampler: Sampler,
        saving: Saving,
        results: Results,
        rollback: Rollback,
        states: RunStates,
        decisions: DecisionMaker,
        publish: Callable[[Event], None],
    ) -> None:
        self._progress, self._timetable, self._validation = progress, timetable, validation
        self._models, self._sampler, self._saving, self._results = models, sampler, saving, results
        self._rollback, self._states, self._decisions, self._publish = rollback, states, decisions, publish
        self.only_samples_left = False
        """Whether the run is saved, or could not be, and nothing but samples is left to write."""

    @property
    def reason(self) -> str:
        """Why no further step is to be taken; empty while there are steps to take."""
        if self._progress.step >= self._timetable.steps:
            return ALL_TAKEN
        return self._validation.out_of_patience

    def phases(self, evaluate: Callable[[], None], write_samples: Callable[[], None]) -> Iterator[None]:
        """Evaluate, save and sample, with a yield after each phase; `write_samples` continues the samples begun.

        Each phase depends on `progress` and the checkpoints alone, so that a run that was killed during its end has the
        same end when it is resumed. Unfinished samples come first, as a checkpoint does not hold them.
        """
        self._results.publish_known()
        self._publish_activity(LAST_SAMPLES)
        yield
        yield from self._written(write_samples)
        if not self._saving.has_step:
            self._saving.save(PERIODIC)
        while self._progress.evaluated_step != self._progress.step:
            evaluate()
            yield
        if not self._models.differ:  # else the sample of the best model comes first, once it is read
            self._publish_activity(LAST_SAMPLES)
            if self._timetable.sample_due(self._progress.step):
                self._sample()
            yield from self._written(write_samples)
        self._save()
        yield from self._show_models(write_samples)
        self.publish_finished()
        yield

    def use_model(self, name: str) -> None:
        """Write samples with the weights called so from now on, where there is a choice."""
        self._models.use(name)
        self._sampler.model_name = self._models.name

    def publish_finished(self) -> None:
        """Publish that the run is finished, and which of its two models is in use."""
        both = self._models.both
        reason = self.reason + (f"; best by validation at step {self._progress.best_step:,}" if both else "")
        self._states.single_steps = 0
        self._states.change("finished", reason, self._models.name if both else "")

    def _save(self) -> None:
        """Save that the run is finished, and load its best model."""
        if self._rollback.final_warning:
            self._publish(alerts.divergence(self._progress.step, self._rollback.final_warning, Severity.WARNING))
        self._progress.finished = True
        self._publish_activity("saving")
        if self._saving.save_and_wait("finished") and (warning := self._models.load_best()):
            self._publish(alerts.checkpoint(self._progress.step, warning, Severity.WARNING))
        self.only_samples_left = True

    def _show_models(self, write_samples: Callable[[], None]) -> Iterator[None]:
        """The last model's sample comes last, as the newest is what is seen first."""
        self._publish_activity(LAST_SAMPLES)
        for name in (BEST, LAST) if self._models.both else (LAST,):
            self.use_model(name)
            self._sample(again=self._models.both)
            yield from self._written(write_samples)
        self.use_model(BEST)

    def _sample(self, again: bool = False) -> None:
        self._sampler.write_regular(self._decisions.interrupted, again)

    def _written(self, write_samples: Callable[[], None]) -> Iterator[None]:
        while self._sampler.busy:
            write_samples()
            yield

    def _publish_activity(self, doing: str) -> None:
        self._publish(Activity(step=self._progress.step, doing=doing))
