"""Exponential moving averages."""

import math
from dataclasses import dataclass, field


@dataclass
class Smoother:
    """Exponential moving average with its initial bias corrected; values that are not finite are skipped."""

    half_life: float
    sum: float = 0.0
    weight: float = 0.0
    decay: float = field(init=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a half-life that is not positive."""
        if not self.half_life > 0:
            raise ValueError(f"{self.half_life} is no half-life")
        self.decay = 0.5 ** (1 / self.half_life)

    def with_half_life(self, half_life: float) -> "Smoother":
        """This one, if it has that half-life; else a new one."""
        return self if half_life == self.half_life else Smoother(half_life)

    def update(self, value: float | None) -> float | None:
        """Add a value; returns the average so far, None before the first finite value."""
        if value is not None and math.isfinite(value):
            self.sum = self.decay * self.sum + (1 - self.decay) * value
            self.weight = self.decay * self.weight + (1 - self.decay)
        return self.sum / self.weight if self.weight else None
