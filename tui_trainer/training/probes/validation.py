"""Evaluations during a run: the validation loss, the best so far, and early stopping."""

import math
from collections.abc import Callable
from typing import Final

from tui_trainer.analysis.perplexity import bits_per_byte, perplexity
from tui_trainer.config import RunConfig
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run import alerts
from tui_trainer.run.events import Activity, Evaluation, Event, finite
from tui_trainer.training.decision import Decision
from tui_trainer.training.probes.evaluation import evaluation
from tui_trainer.training.probes.source import Probe, ProbeSource
from tui_trainer.training.progress import Progress

OVERFITTING_AFTER: Final = 3
"""Evaluations without improvement after which an alert is published."""


class Validation(ProbeSource):
    """Evaluates the model, and counts in `progress` the evaluations without improvement, for early stopping.

    Used by the trainer's thread alone.
    """

    def __init__(
        self,
        model: Transformer,
        corpus: Corpus,
        progress: Progress,
        config: RunConfig,
        publish: Callable[[Event], None],
        save_best: Callable[[], None],
    ) -> None:
        self._model = model
        self._corpus = corpus
        self._progress = progress
        self._precision = config.precision
        self._patience = config.patience
        self._publish = publish
        self._save_best = save_best

    @property
    def out_of_patience(self) -> str:
        """Why to stop early, if the last evaluations were no improvement for as often as the user allows; else empty.

        It depends on `progress` alone, so that a run that was killed before it could end does so when it is resumed.
        """
        if not self._progress.out_of_patience(self._patience):
            return ""
        return f"validation loss has not improved for {self._progress.evaluations_since_best} evaluations"

    def exclusive(self, decision: Decision) -> Probe | None:
        return self._evaluate_and_tell() if decision.evaluate else None

    def _evaluate_and_tell(self) -> Probe:
        self._publish(Activity(step=self._progress.step, doing="validating"))
        try:
            yield from self._evaluate()
        finally:
            self._publish(Activity(step=self._progress.step, doing=""))

    def _evaluate(self) -> Probe:
        """Evaluate, publish, and save the model if it is the best so far. Closed early, it changes nothing."""
        loss = yield from evaluation(self._model, self._corpus.val, self._precision)
        progress = self._progress
        best = math.isfinite(loss) and (progress.best_loss is None or loss < progress.best_loss)
        self._publish_evaluation(loss, best)
        progress.evaluated_step = progress.step
        progress.loss_sum, progress.loss_count = 0.0, 0
        if best:
            progress.best_loss, progress.best_step, progress.evaluations_since_best = loss, progress.step, 0
            self._save_best()
            return
        progress.evaluations_since_best += 1
        self._watch_overfitting()

    def _publish_evaluation(self, loss: float, best: bool) -> None:
        progress = self._progress
        self._publish(
            Evaluation(
                step=progress.step,
                train_loss=progress.loss_sum / progress.loss_count if progress.loss_count else None,
                val_loss=finite(loss),
                perplexity=finite(perplexity(loss)),
                bits_per_byte=finite(bits_per_byte(loss, len(self._corpus.val) - 1, self._corpus.val_bytes)),
                best=best,
            )
        )
        if not math.isfinite(loss):
            self._publish(alerts.divergence(progress.step, "The validation loss is not finite."))

    def _watch_overfitting(self) -> None:
        if self._progress.evaluations_since_best == OVERFITTING_AFTER and not self.out_of_patience:
            since = self._progress.best_step
            message = f"No better validation since step {since:,}: it may be overfitting."
            self._publish(alerts.overfitting(self._progress.step, message))
