"""Publishes the results of steps as events, and sums the losses for the next evaluation."""

from collections.abc import Callable, Sequence
from typing import Final

from tui_trainer.run import alerts
from tui_trainer.run.events import Event, Step, finite
from tui_trainer.training.progress import Progress
from tui_trainer.training.step.stepper import Stepper, StepResult

OVERFLOWS: Final = 4
"""Consecutive skipped steps that are normal in fp16, while the scale of the loss is being found."""


class StepReports:
    """Gives every result to the `callbacks`, in the trainer's thread."""

    def __init__(
        self,
        stepper: Stepper,
        progress: Progress,
        precision: str,
        tokens_per_step: int,
        publish: Callable[[Event], None],
        callbacks: Sequence[Callable[[StepResult], None]],
    ) -> None:
        self._stepper, self._progress, self._precision = stepper, progress, precision
        self._tokens_per_step = tokens_per_step
        self._publish = publish
        self.callbacks = list(callbacks)
        self._skipped = 0

    def publish_known(self, wait: bool) -> None:
        """Publish the results that have arrived, or with `wait` all of them, waiting for the device."""
        for result in self._stepper.results(wait):
            self._publish(
                Step(
                    step=result.step,
                    loss=finite(result.loss),
                    lr=result.lr,
                    grad_norm=finite(result.grad_norm),
                    weight_norm=finite(result.weight_norm),
                    tokens=result.step * self._tokens_per_step,
                    step_seconds=result.seconds,
                    tokens_per_second=self._tokens_per_step / result.seconds,
                )
            )
            for callback in self.callbacks:
                callback(result)
            self._count(result)

    def _count(self, result: StepResult) -> None:
        if result.finite:
            self._skipped = 0
            self._progress.loss_sum += result.loss
            self._progress.loss_count += 1
            return
        self._skipped += 1
        if self._precision == "fp16" and self._skipped < OVERFLOWS:
            message = "A gradient was too large for fp16: the update was skipped, and the loss is scaled less now."
            self._publish(alerts.overflow(self._progress.step, message))
        else:
            message = "The loss or its gradient is not finite: the update was skipped."
            self._publish(alerts.divergence(self._progress.step, message))
