"""Rollback after divergence: earlier weights are restored, and training continues on later text at a lower rate."""

from collections.abc import Callable, Sequence
from typing import Final

from tui_trainer.config import RunConfig
from tui_trainer.model.transformer import Transformer
from tui_trainer.training.errors import RunFailedError
from tui_trainer.training.memory import within_memory
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.divergence import MAX_OVERFLOWS, DivergenceDetector
from tui_trainer.training.recovery.rollback_buffer import (
    MARGIN,
    RollbackBuffer,
    RollbackState,
    copy_state,
    restore_state,
)
from tui_trainer.training.step.stepper import Stepper, StepResult

MAX_ROLLBACKS: Final = 3

LR_REDUCTION: Final = 0.5
"""What the learning rate is multiplied by after a rollback."""

REDUCED_SHARE, REDUCED_STEPS = 0.02, 20
"""For how long: a share of the run, and the fewest steps."""


class Rollback:
    """Copies states to a buffer, and restores one when the detector finds divergence.

    The step number is not set back: so the text of the undone steps is not read again, the schedule goes on, and every
    batch still depends on the step number alone. Used by the trainer's thread alone.
    """

    def __init__(
        self,
        model: Transformer,
        stepper: Stepper,
        progress: Progress,
        steps: int,
        config: RunConfig,
        states: Sequence[RollbackState],
        saved_before: Callable[[int], RollbackState | None],
    ) -> None:
        """`states` are those of the checkpoint that the run is resumed from; empty for a new run, or if they are lost.

        `saved_before` reads the newest checkpoint that is not after a step; None if there is none.
        """
        self._model, self._stepper, self._progress = model, stepper, progress
        self._policy = config.on_divergence
        self._steps = steps
        self._detector = DivergenceDetector(config.precision, model.shape.vocab_size, stepper.clip)
        self._detector.load(progress.guard)
        if not self._detector.healthy and not progress.trouble_since:
            # Checkpoints of format 1 lack it; none of their counts goes back further.
            progress.trouble_since = max(0, progress.step - MAX_OVERFLOWS)
        self._buffer = RollbackBuffer(steps, states)
        self._saved_before = saved_before
        self.trouble = ""
        """Why the run counts as diverged, in words that follow "the"; empty if it does not."""
        self._persistent = False
        """Whether the learning rate is too high for the rest of the run."""
        self._warning = "There is not enough memory for a copy of the weights, to go back to if the run diverges."

    def set_length(self, steps: int) -> None:
        """Use another number of steps of the run from now on."""
        self._steps = steps
        self._buffer.set_length(steps)

    def on_step(self, result: StepResult) -> None:
        """Give the result of a step to the detector."""
        if self._detector.healthy:
            self._progress.trouble_since = result.step
        if trouble := self._detector.update(result):
            self.trouble, self._persistent = trouble, self._detector.persistent
        self._progress.guard = self._detector.state()

    @property
    def advice(self) -> str:
        """Advice that follows from the last step, in a sentence; mostly empty."""
        return self._detector.advice

    @property
    def final_warning(self) -> str:
        """What is wrong with the run if it ends now, in a sentence; empty if nothing is."""
        return self._detector.final_warning

    @property
    def due(self) -> bool:
        """Whether the state of this step is to be copied, once the results up to it are known to be good."""
        return self._buffer.due(self._progress.step)

    def buffer_state(self) -> str:
        """Copy the state of this step to the buffer if that is due and there is no sign of divergence.

        Returns a warning, once, if there is too little memory for the copy.
        """
        if not (self.due and self._detector.healthy):
            return ""
        step = self._progress.step
        try:
            self._buffer.append(within_memory(lambda: copy_state(self._model, self._stepper, step)))
        except MemoryError:
            self._buffer.note_no_room(step)
            warning, self._warning = self._warning, ""
            return warning
        return ""

    @property
    def states(self) -> Sequence[RollbackState]:
        """The states that may still be restored, for a checkpoint."""
        progress = self._progress
        return self._buffer.needed_from(progress.step + 1 if self._detector.healthy else progress.trouble_since)

    def roll_back(self) -> str:
        """Apply the policy for divergence; a sentence on what was done. Raises RunFailedError if the run has to end."""
        trouble, self.trouble = self.trouble, ""
        self._detector.reset()
        self._progress.guard = self._detector.state()
        if self._policy == "pause":
            return f"The {trouble}: paused. Resume to go on as it is, or quit without saving."
        progress, since = self._progress, self._progress.trouble_since
        state = self._buffer.before(since) or self._saved_before(since - MARGIN)
        if state is None:
            progress.diverged = True
            raise RunFailedError(f"The {trouble}, and there are no weights to go back to: lower the --lr.")
        restore_state(state, self._model, self._stepper)
        back = f"The {trouble}. The weights are those of step {state.step:,} again"
        if not self._buffer.is_exact(state, since):
            back += " (without the interruption it would have been another step: what was kept then is lost)"
        if self._policy == "stop" or progress.rollbacks >= MAX_ROLLBACKS:
            progress.diverged = True
            tried = f"; {MAX_ROLLBACKS} rollbacks did not help: train" if self._policy == "rollback" else "; train"
            raise RunFailedError(f"{back}{tried} again with a lower --lr.")
        progress.rollbacks += 1
        length = self._lower_rate()
        return (
            f"{back}, the text since is left out, and the learning rate is {progress.lr_factor:g} of the planned "
            f"for {length:,} steps (rollback {progress.rollbacks} of at most {MAX_ROLLBACKS})."
        )

    def _lower_rate(self) -> int:
        """Lower the learning rate of the next steps; how many those are."""
        progress = self._progress
        progress.lr_factor = LR_REDUCTION * self.lr_factor
        length = max(REDUCED_STEPS, int(REDUCED_SHARE * self._steps))
        if self._persistent:  # the planned rate would be too high again
            length = max(length, self._steps - progress.step)
        length = max(length, progress.lr_factor_until - progress.step)  # an earlier reduction still holds
        progress.lr_factor_until = progress.step + length
        return length

    @property
    def lr_factor(self) -> float:
        """What the planned learning rate of the next step is multiplied by."""
        progress = self._progress
        return progress.lr_factor if progress.step < progress.lr_factor_until else 1.0
