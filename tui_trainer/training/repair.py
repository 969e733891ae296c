"""What is done when a run comes to harm: back to weights that were good, on with other text, at a lower rate."""

from typing import Final

from tui_trainer.model.transformer import Transformer
from tui_trainer.training.checkpoints import Progress
from tui_trainer.training.errors import RunFailedError
from tui_trainer.training.guard import Guard
from tui_trainer.training.keepsakes import Keepsakes, copy_state, put_back
from tui_trainer.training.memory import within_memory
from tui_trainer.training.stepper import Stepper, StepResult

MAX_ROLLBACKS: Final = 3

EASED: Final = 0.5
"""What the learning rate is multiplied by after a rollback."""

EASED_SHARE, EASED_AT_LEAST = 0.02, 20
"""For how long: part of the run, and steps."""


class Repair:
    """Keeps states to go back to, and goes back when the guard finds something wrong.

    The number of steps taken stays: so the text of the steps that are undone is never met again, the schedule goes on,
    and what follows depends on the step's number alone, as ever.
    """

    def __init__(
        self, model: Transformer, stepper: Stepper, progress: Progress, steps: int, precision: str, policy: str
    ) -> None:
        self._model, self._stepper, self._progress, self._policy = model, stepper, progress, policy
        self._steps = steps
        self._guard = Guard(precision, model.shape.vocab_size, stepper.clip)
        self._guard.load(progress.guard)
        self._keepsakes = Keepsakes(steps)
        self.trouble = ""
        """What is wrong with the run; empty while nothing is."""
        self._lasting = False
        """Whether that is no accident of some steps."""
        self._since = 0
        self._warning = "There is not enough memory for a copy of the weights, to go back to if the run diverges."

    def follow(self, steps: int) -> None:
        """Go by another length of the run from now on."""
        self._steps = steps
        self._keepsakes.follow(steps)

    def watch(self, result: StepResult) -> None:
        """Take in what came of a step."""
        if self._guard.calm:
            self._since = result.step
        if trouble := self._guard.watch(result):
            self.trouble, self._lasting = trouble, self._guard.lasting
        self._progress.guard = self._guard.state()

    @property
    def advice(self) -> str:
        """What the last step gave reason to advise; mostly empty."""
        return self._guard.advice

    @property
    def ending(self) -> str:
        """What is wrong with the run if it ends now, in a sentence; empty when nothing is."""
        return self._guard.ending

    def keep(self) -> str:
        """Remember the present state now and then, while nothing is suspected of it, or when there is no other.

        Returns what is to be told, once, when there is too little memory for it.
        """
        step = self._progress.step
        if not self._keepsakes.none and not (self._guard.calm and self._keepsakes.due(step)):
            return ""
        try:
            self._keepsakes.take(within_memory(lambda: copy_state(self._model, self._stepper, step)))
        except MemoryError:
            warning, self._warning = self._warning, ""
            return warning
        return ""

    def mend(self) -> str:
        """Undo the harm; what was done about it, in a sentence. Raises RunFailedError when that is no use any more."""
        trouble, self.trouble = self.trouble, ""
        self._guard.forgive()
        self._progress.guard = self._guard.state()
        if self._policy == "pause":
            return f"The {trouble}: paused. Resume to go on as it is, or quit without saving."
        if self._keepsakes.none:
            raise RunFailedError(f"The {trouble}, and there was no memory for weights to go back to: lower the --lr.")
        keepsake = self._keepsakes.before(self._since)
        put_back(keepsake, self._model, self._stepper)
        progress = self._progress
        back = f"The {trouble}. The weights are those of step {keepsake.step:,} again"
        if self._policy == "stop":
            raise RunFailedError(f"{back}; train again with a lower --lr.")
        if progress.rollbacks >= MAX_ROLLBACKS:
            raise RunFailedError(f"{back}; {MAX_ROLLBACKS} rollbacks did not help: train again with a lower --lr.")
        progress.rollbacks += 1
        progress.lr_factor = EASED * self.lr_factor
        length = max(EASED_AT_LEAST, int(EASED_SHARE * self._steps))
        if self._lasting:  # a rate that is too high now would be so again
            length = max(length, self._steps - progress.step)
        progress.lr_factor_until = progress.step + length
        return (
            f"{back}, the text since is left out, and the learning rate is {progress.lr_factor:g} of the planned "
            f"for {length:,} steps (rollback {progress.rollbacks} of at most {MAX_ROLLBACKS})."
        )

    @property
    def lr_factor(self) -> float:
        """What the planned learning rate of the next step is multiplied by."""
        progress = self._progress
        return progress.lr_factor if progress.step < progress.lr_factor_until else 1.0
