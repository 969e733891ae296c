"""What is trouble when it lasts, whenever it comes: a loss worse than guessing, gradients that are always clipped."""

import math
from dataclasses import dataclass
from typing import Final

FAR: Final = 1.0
"""Nats per token above guessing that no working rate stays at; the widest models begin within them."""

LASTING: Final = 50
"""Steps so far above guessing, those below taken off: at rates that are high, but work, a run has up to some 20."""

CLEAR: Final = 0.3
"""Nats per token above guessing that random weights do not have."""

LATELY: Final = 5
"""Steps that count when a run ends."""

BLOCK: Final = 500
"""Steps whose clipping is looked at together: large models are clipped at most of their first hundreds."""

MOSTLY: Final = 0.95
"""Part of them. Above half is called extremely aggressive, and a lower rate advised, by Godbole et al. 2023 (Deep
Learning Tuning Playbook); here only what is nearly all of them is worth a word."""


@dataclass
class Guessing:
    """Counts the steps whose loss is above that of guessing, as any of `vocab_size` tokens is as likely: ln of it."""

    loss: float
    """Of guessing, in nats per token."""
    far: int = 0
    """Steps far above it, each below taken off again, and never less than 0."""
    lately: int = 0
    """Steps clearly above it less those below, within LATELY of 0."""

    @classmethod
    def among(cls, vocab_size: int) -> "Guessing":
        return cls(math.log(vocab_size))

    def take(self, loss: float) -> bool:
        """Whether the loss, in nats per token, is far above that of guessing."""
        far = loss > self.loss + FAR
        self.far = self.far + 1 if far else max(0, self.far - 1)
        self.lately += 1 if loss > self.loss + CLEAR else -1
        self.lately = max(-LATELY, min(LATELY, self.lately))
        return far

    @property
    def trouble(self) -> str:
        """What is wrong when it has been so for long, in words that follow "the"; else empty."""
        return (
            f"loss was far above {self.loss:.2f}, that of guessing, for {self.far} steps" if self.far >= LASTING else ""
        )

    @property
    def ending(self) -> str:
        """What is wrong with a run that ends now, in a sentence: most of its last steps were worse than guessing."""
        if self.lately <= 0:
            return ""
        return f"The run ends with a loss above {self.loss:.2f}, that of guessing: train again with a lower --lr."


@dataclass
class Clipping:
    """Counts the steps whose gradient is clipped to the norm `most`; 0 is none."""

    most: float
    steps: int = 0
    """Of this block."""
    clipped: int = 0
    told: int = 0
    """Whether advice was given: 1 when it was."""

    def take(self, norm: float) -> str:
        """What to advise, once in a run, after a block in which nearly every gradient was clipped."""
        if not self.most or self.told:
            return ""
        self.steps += 1
        self.clipped += norm > self.most
        if self.steps < BLOCK:
            return ""
        clipped, self.steps, self.clipped = self.clipped, 0, 0
        if clipped < MOSTLY * BLOCK:
            return ""
        self.told = 1
        return (
            f"{clipped} of the last {BLOCK} gradients were longer than --clip {self.most:g}, and clipped: "
            "another run may learn better with a lower --lr, or a larger --clip."
        )
