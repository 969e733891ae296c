"""How often the screen may be drawn anew: as often as the bytes that it sends allow."""

import time
from collections.abc import Callable
from typing import Final

BYTES_PER_SECOND: Final = 3000.0
LOW_BYTES_PER_SECOND: Final = 500.0

UNFOCUSED: Final = 0.25
"""Part of them while the terminal says that it does not have the focus."""

SAVED_SECONDS: Final = 2.0
"""What may be saved up."""

DEBT_BYTES: Final = 5000
"""What a picture has cost beyond that is not made up for, as it may be what a key has asked for."""

RATE_SECONDS: Final = 4.0
"""Over which the rate that is told is averaged."""


class RefreshBudget:
    """Seconds as of `now`. Used by the thread that draws."""

    def __init__(self, bytes_per_second: float = BYTES_PER_SECOND, now: Callable[[], float] = time.monotonic) -> None:
        self._allowed, self._now = bytes_per_second, now
        self._time = self._rate_time = now()
        self._left = bytes_per_second * SAVED_SECONDS
        self._sent = self._rate_sent = 0
        self.focused = True
        self.rate: float | None = None
        """Bytes a second that were sent."""

    def may_draw(self, sent: int) -> bool:
        """Whether more may be drawn without a user having asked for it; `sent` is how many bytes were, in all."""
        now = self._now()
        allowed = self._allowed if self.focused else self._allowed * UNFOCUSED
        earned = (now - self._time) * allowed
        self._left = min(allowed * SAVED_SECONDS, self._left + earned) - (sent - self._sent)
        self._left = max(self._left, -DEBT_BYTES)
        self._time, self._sent = now, sent
        if now - self._rate_time >= RATE_SECONDS:
            self.rate = (sent - self._rate_sent) / (now - self._rate_time)
            self._rate_time, self._rate_sent = now, sent
        return self._left > 0
