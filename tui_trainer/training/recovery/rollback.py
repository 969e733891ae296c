"""What is done when a run comes to harm: back to weights that were good, on with other text, at a lower rate."""

from collections.abc import Callable, Sequence
from typing import Final

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

EASED: Final = 0.5
"""What the learning rate is multiplied by after a rollback."""

EASED_SHARE, EASED_AT_LEAST = 0.02, 20
"""For how long: part of the run, and steps."""


class Rollback:
    """Keeps states to go back to, and goes back when the detector finds something wrong.

    The number of steps taken stays: so the text of the steps that are undone is never met again, the schedule goes on,
    and what follows depends on the step's number alone, as ever.
    """

    def __init__(
        self,
        model: Transformer,
        stepper: Stepper,
        progress: Progress,
        steps: int,
        precision: str,
        policy: str,
        kept: Sequence[RollbackState],
        saved_before: Callable[[int], RollbackState | None],
    ) -> None:
        """`kept` are the states that the run had kept when it was saved; none is a new run, or they are not known.

        `saved_before` gives the newest saved state that is not after a step, if there is one.
        """
        self._model, self._stepper, self._progress, self._policy = model, stepper, progress, policy
        self._steps = steps
        self._detector = DivergenceDetector(precision, model.shape.vocab_size, stepper.clip)
        self._detector.load(progress.guard)
        if not self._detector.calm and not progress.trouble_since:
            # Checkpoints of format 1 do not tell; none of the troubles that they know of is counted for longer.
            progress.trouble_since = max(0, progress.step - MAX_OVERFLOWS)
        self._buffer = RollbackBuffer(steps, kept)
        self._saved_before = saved_before
        self.trouble = ""
        """What is wrong with the run; empty while nothing is."""
        self._lasting = False
        """Whether that is no accident of some steps."""
        self._warning = "There is not enough memory for a copy of the weights, to go back to if the run diverges."

    def set_length(self, steps: int) -> None:
        """Go by another length of the run from now on."""
        self._steps = steps
        self._buffer.set_length(steps)

    def watch(self, result: StepResult) -> None:
        """Take in what came of a step."""
        if self._detector.calm:
            self._progress.trouble_since = result.step
        if trouble := self._detector.watch(result):
            self.trouble, self._lasting = trouble, self._detector.lasting
        self._progress.guard = self._detector.state()

    @property
    def advice(self) -> str:
        """What the last step gave reason to advise; mostly empty."""
        return self._detector.advice

    @property
    def ending(self) -> str:
        """What is wrong with the run if it ends now, in a sentence; empty when nothing is."""
        return self._detector.ending

    @property
    def due(self) -> bool:
        """Whether the present state is to be remembered, if all is known to be well up to it."""
        return self._buffer.due(self._progress.step)

    def keep(self) -> str:
        """Remember the present state now and then, or when there is no other, while nothing is suspected of it.

        Returns what is to be told, once, when there is too little memory for it.
        """
        if not (self.due and self._detector.calm):
            return ""
        try:
            step = self._progress.step
            self._buffer.take(within_memory(lambda: copy_state(self._model, self._stepper, step)))
        except MemoryError:
            warning, self._warning = self._warning, ""
            return warning
        return ""

    @property
    def kept(self) -> Sequence[RollbackState]:
        """The states that may yet be gone back to; for a checkpoint."""
        progress = self._progress
        return self._buffer.needed(progress.step + 1 if self._detector.calm else progress.trouble_since)

    def roll_back(self) -> str:
        """Undo the harm; what was done about it, in a sentence. Raises RunFailedError when that is no use any more."""
        trouble, self.trouble = self.trouble, ""
        self._detector.forgive()
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
        if not self._buffer.exactly(state, since):
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
        """Lower the learning rate from now on; for how many steps."""
        progress = self._progress
        progress.lr_factor = EASED * self.lr_factor
        length = max(EASED_AT_LEAST, int(EASED_SHARE * self._steps))
        if self._lasting:  # a rate that is too high now would be so again
            length = max(length, self._steps - progress.step)
        length = max(length, progress.lr_factor_until - progress.step)  # nor is it to be so sooner than was told
        progress.lr_factor_until = progress.step + length
        return length

    @property
    def lr_factor(self) -> float:
        """What the planned learning rate of the next step is multiplied by."""
        progress = self._progress
        return progress.lr_factor if progress.step < progress.lr_factor_until else 1.0
