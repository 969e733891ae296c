"""Monitors of conditions that must last: a loss above that of uniform guessing, gradients that are always clipped."""

import math
from dataclasses import dataclass
from typing import Final

FAR: Final = 1.0
"""Nats per token above guessing at which no run with a working learning rate stays; random weights are below it."""

MAX_FAR: Final = 50
"""Steps so far above guessing, less those below, at which a run counts as diverged; high rates that work reach 20."""

CLEAR: Final = 0.3
"""Nats per token above guessing that random weights do not reach."""

LATELY: Final = 5
"""Most recent steps that the warning at the end of a run depends on."""

SHARE_STEPS: Final = 500
"""Steps whose share of clipped gradients is computed together: large models clip most of their first hundreds."""

CLIPPED_SHARE: Final = 0.95
"""Share from which advice is given. Godbole et al. 2023 (Deep Learning Tuning Playbook) call more than half extremely
aggressive, and advise a lower rate; here nearly all must be clipped."""


@dataclass
class UniformLossMonitor:
    """Counts steps whose loss is above that of a uniform guess among the tokens, ln(vocab_size)."""

    loss: float
    """Of a uniform guess, in nats per token."""
    far: int = 0
    """Steps more than FAR above it, less the other steps, and never below 0."""
    lately: int = 0
    """Steps more than CLEAR above it, less the other steps, within -LATELY and LATELY."""

    @classmethod
    def of_vocabulary(cls, vocab_size: int) -> "UniformLossMonitor":
        return cls(math.log(vocab_size))

    def update(self, loss: float) -> bool:
        """Count a step; whether its loss, in nats per token, is far above that of guessing."""
        far = loss > self.loss + FAR
        self.far = self.far + 1 if far else max(0, self.far - 1)
        self.lately += 1 if loss > self.loss + CLEAR else -1
        self.lately = max(-LATELY, min(LATELY, self.lately))
        return far

    @property
    def trouble(self) -> str:
        """Why the run counts as diverged, in words that follow "the"; empty if it does not."""
        return (
            f"loss was far above {self.loss:.2f}, that of guessing, for {self.far} steps" if self.far >= MAX_FAR else ""
        )

    @property
    def final_warning(self) -> str:
        """A sentence if the run ends now and most of its last steps were worse than guessing; else empty."""
        if self.lately <= 0:
            return ""
        return f"The run ends with a loss above {self.loss:.2f}, that of guessing: train again with a lower --lr."


@dataclass
class ClippingMonitor:
    """Counts the steps whose gradient is clipped to the norm `most`; 0 means no clipping."""

    most: float
    steps: int = 0
    """In the current block."""
    clipped: int = 0
    told: int = 0
    """1 once advice was given, else 0."""

    def update(self, norm: float) -> str:
        """Count a step; advice, once in a run, after a block in which nearly every gradient was clipped; else empty."""
        if not self.most or self.told:
            return ""
        self.steps += 1
        self.clipped += norm > self.most
        if self.steps < SHARE_STEPS:
            return ""
        clipped, self.steps, self.clipped = self.clipped, 0, 0
        if clipped < CLIPPED_SHARE * SHARE_STEPS:
            return ""
        self.told = 1
        return (
            f"{clipped} of the last {SHARE_STEPS} gradients were longer than --clip {self.most:g}, and clipped: "
            "another run may learn better with a lower --lr, or a larger --clip."
        )
