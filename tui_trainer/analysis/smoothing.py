"""Exponential moving averages."""

import math


class Smoother:
    """Exponential moving average without the bias of its start; a gap does not move it."""

    def __init__(self, half_life: float) -> None:
        self.half_life = half_life
        self._decay = 0.5 ** (1 / half_life)
        self._sum = 0.0
        self._weight = 0.0

    def with_half_life(self, half_life: float) -> "Smoother":
        """This one, if it has that half-life; else a new one."""
        return self if half_life == self.half_life else Smoother(half_life)

    def update(self, value: float | None) -> float | None:
        """Take one value in; the average so far, None before the first finite value."""
        if value is not None and math.isfinite(value):
            self._sum = self._decay * self._sum + (1 - self._decay) * value
            self._weight = self._decay * self._weight + (1 - self._decay)
        return self._sum / self._weight if self._weight else None
