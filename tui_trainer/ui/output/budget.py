"""How often the screen may be drawn anew: as often as the bytes that it sends and the time that it takes allow."""

import time
from collections.abc import Callable
from typing import Final

BYTES_PER_SECOND: Final = 3000.0
LOW_BYTES_PER_SECOND: Final = 500.0
RECORDING_BYTES_PER_SECOND: Final = 12_000.0
"""Of a recording that is played, every picture differs in most of its cells."""

PROCESSOR_SHARE: Final = 0.01
"""Of one core, for the thread that draws while the processor trains: training on all cores is slowed by as much."""
DEVICE_SHARE: Final = 0.03
"""The same while another device trains: it waits for the interpreter's lock alone."""
WHOLE_CORE: Final = 1.0
"""While nothing is trained."""

UNFOCUSED: Final = 0.25
"""Part of them while the terminal says that it does not have the focus."""

SAVED_SECONDS: Final = 2.0
"""What may be saved up."""

DEBT_BYTES: Final = 5000
DEBT_WAIT: Final = 4.0
"""Seconds after which something is drawn again at the latest, however many bytes a picture has cost."""
DEBT_SECONDS: Final = 0.03
"""What a picture has cost beyond that is not made up for, as it may be what a key has asked for."""

RATE_SECONDS: Final = 4.0
"""Over which the rate that is told is averaged."""


class _Allowance:
    """Of something that may be spent at a rate, a unit a second."""

    def __init__(self, debt: float, left: float) -> None:
        self._debt, self._left, self._spent = debt, left, 0.0

    def left(self, seconds: float, rate: float, spent: float) -> float:
        """After so many seconds more; `spent` is all that was spent so far."""
        self._left = min(rate * SAVED_SECONDS, self._left + seconds * rate) - (spent - self._spent)
        self._left, self._spent = max(self._left, -self._debt), spent
        return self._left


class RefreshBudget:
    """Seconds as of `now`. Used by the thread that draws."""

    def __init__(self, bytes_per_second: float = BYTES_PER_SECOND, now: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_second, self._now = bytes_per_second, now
        self._time = self._rate_time = now()
        self._bytes = _Allowance(min(DEBT_BYTES, DEBT_WAIT * bytes_per_second), bytes_per_second * SAVED_SECONDS)
        self._processor = _Allowance(DEBT_SECONDS, PROCESSOR_SHARE * SAVED_SECONDS)
        self._rate_sent = 0
        self.focused = True
        self.rate: float | None = None
        """Bytes a second that were sent."""

    def may_draw(self, sent: int, processor_seconds: float = 0.0, share: float = WHOLE_CORE) -> bool:
        """Whether more may be drawn without a user having asked for it.

        `sent` is how many bytes were sent in all, `processor_seconds` what the thread has taken, of which `share` a
        second is allowed.
        """
        now = self._now()
        seconds, self._time = now - self._time, now
        part = 1.0 if self.focused else UNFOCUSED
        bytes_left = self._bytes.left(seconds, part * self._bytes_per_second, sent)
        processor_left = self._processor.left(seconds, part * share, processor_seconds)
        if now - self._rate_time >= RATE_SECONDS:
            self.rate = (sent - self._rate_sent) / (now - self._rate_time)
            self._rate_time, self._rate_sent = now, sent
        return bytes_left > 0 and processor_left > 0
