"""What the trainer saves as a checkpoint, and when; the saver writes it in another thread."""

from dataclasses import replace

from tui_trainer.model.transformer import ModelShape
from tui_trainer.run.events import PERIODIC
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.saver import Saver
from tui_trainer.training.decision_maker import DecisionMaker
from tui_trainer.training.end_models import EndModels
from tui_trainer.training.probes.sampling import Sampler
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback import Rollback
from tui_trainer.training.results import Results


class Saving:
    """Saves the run's present state; a failed write is an alert, not an error. Used by the trainer's thread alone."""

    def __init__(
        self,
        saver: Saver,
        models: EndModels,
        shape: ModelShape,
        tokenizer: str,
        progress: Progress,
        rollback: Rollback,
        results: Results,
        sampler: Sampler,
        decisions: DecisionMaker,
    ) -> None:
        """`tokenizer` as JSON."""
        self._saver, self._models, self._shape, self._tokenizer = saver, models, shape, tokenizer
        self._progress, self._rollback, self._results = progress, rollback, results
        self._sampler, self._decisions = sampler, decisions

    def save(self, reason: str) -> None:
        """Begin to save a checkpoint of this step."""
        self._results.publish_known()
        # A sample is of weights that no checkpoint has: what was begun before this one is not to be lost.
        self._sampler.finish(self._decisions.begin_save())
        self._saver.save(self._progress.step, self._contents, reason)

    def save_new(self, reason: str) -> None:
        """The same, unless a checkpoint of this step is saved, or being saved."""
        if self._saver.step != self._progress.step:
            self.save(reason)

    def save_and_wait(self, reason: str) -> bool:
        """Save a checkpoint of this step, and wait until it is written; whether it could be."""
        self.save(reason)
        return self._saver.wait()

    def save_last(self) -> bool:
        """Save before the run is over; whether the weights of its last step are saved, now or before."""
        self.save_and_wait("finished" if self._progress.finished else "stopped")
        return self.has_step

    def save_with_length(self, steps: int) -> bool:
        """Save a checkpoint of a run that has so many steps in all; if that fails, the run has as many as before."""
        before, self._progress.planned_steps = self._progress.planned_steps, steps
        if self.save_and_wait(PERIODIC):
            return True
        self._progress.planned_steps = before
        return False

    def wait(self) -> bool:
        """Wait for what is being written; whether the last checkpoint could be saved."""
        return self._saver.wait()

    @property
    def has_step(self) -> bool:
        """Whether the weights of this step are saved, as far as is known by now."""
        return self._saver.saved_step == self._progress.step

    @property
    def has_all(self) -> bool:
        """Whether nothing is to be saved: neither steps, nor the run's end, nor its settings."""
        return self._saver.has(self._progress)

    def _contents(self) -> Contents:
        """A copy of all that a checkpoint holds."""
        copy = self._models.last()
        progress = replace(self._progress, sampled_step=self._sampler.published_step)
        return Contents(progress, copy.weights, copy.state, self._shape, self._tokenizer, self._rollback.states)
