"""Axes of charts: limits rounded outwards, and few ticks at round values with short labels."""

import math
from dataclasses import dataclass

import numpy as np

from tui_trainer.history.curve import Values

LABEL_WIDTH = 6
"""Cells of the longest tick label shown, such as 1.5e-3."""

_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_LOG_LIMITS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LOG_TICKS = ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))


@dataclass(frozen=True)
class Scale:
    """An axis; `low`, `high` and the positions of `ticks` are log10 of the values on a logarithmic one."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def positions(self, values: Values) -> Values:
        """Values as positions on the axis; NaN where there is none."""
        if not self.log:
            return values
        positive = values > 0
        return np.where(positive, np.log10(np.where(positive, values, 1.0)), np.nan)

    def cell(self, position: float, cells: int, dots: int) -> int | None:
        """Which of `cells` along the axis, each of `dots` dots, holds a position on it; None outside the limits."""
        fraction = (position - self.low) / (self.high - self.low)
        return round(fraction * (cells * dots - 1)) // dots if -1e-9 <= fraction <= 1 + 1e-9 else None


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides `span` into at most `count` parts."""
    rough = span / max(1, count)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * (1 - 1e-9))


def tick_label(value: float, step: float, scientific: bool = False) -> str:
    """A tick's value with as many digits as tell it from the next tick, which is `step` away."""
    if abs(value) < step / 1e6:
        return "0"
    if scientific or abs(value) >= 1e15:
        return _scientific_label(value, step)
    for size, unit in _UNITS:
        if abs(value) >= size:
            return _without_zeros(f"{value / size:.{_decimals(step / size)}f}") + unit
    return f"{value:.{_decimals(step)}f}"


def _without_zeros(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))


def _scientific_label(value: float, step: float) -> str:
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    digits = max(0, exponent - math.floor(math.log10(step) + 1e-9))
    return f"{_without_zeros(f'{value / 10.0**exponent:.{digits}f}')}e{exponent}"


def linear_scale(low: float, high: float, count: int) -> Scale:
    """An axis that holds `low` to `high`, with about `count` ticks."""
    low, high = _widened(low, high)
    step = nice_step(high - low, max(1, count))
    snap = step / 2
    low, high = math.floor(low / snap + 1e-9) * snap, math.ceil(high / snap - 1e-9) * snap
    return Scale(low, high, linear_ticks(low, high, step))


def linear_ticks(low: float, high: float, step: float) -> tuple[tuple[float, str], ...]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    scientific = max(abs(low), abs(high)) < 0.01
    return tuple((index * step, tick_label(index * step, step, scientific)) for index in range(first, last + 1))


def _widened(low: float, high: float) -> tuple[float, float]:
    """Limits that are apart, also for a constant, and at most 1e30 in size."""
    low, high = max(-1e30, min(low, high)), min(1e30, max(low, high))
    room = max(abs(low), abs(high)) * 1e-3
    if high - low > room:
        return low, high
    pad = abs(high) * 0.1 or 1.0
    return low - pad, high + pad


def log_scale(low: float, high: float, count: int) -> Scale:
    """A logarithmic axis that holds the positive numbers `low` to `high`."""
    low, high = max(1e-30, low), min(1e30, max(high, low, 1e-30))
    bottom, top = _log_limit(low, upwards=False), _log_limit(high, upwards=True)
    if top - bottom < 0.1:
        bottom, top = _log_limit(low / 1.3, upwards=False), _log_limit(high * 1.3, upwards=True)
    return Scale(bottom, top, _log_ticks(bottom, top, max(1, count)), log=True)


def _log_limit(value: float, upwards: bool) -> float:
    exponent = math.floor(math.log10(value) + 1e-12)
    mantissa = value / 10.0**exponent
    if upwards:
        return exponent + math.log10(min(limit for limit in _LOG_LIMITS if limit >= min(10.0, mantissa) * (1 - 1e-9)))
    return exponent + math.log10(max(limit for limit in _LOG_LIMITS if limit <= max(1.0, mantissa) * (1 + 1e-9)))


def _log_ticks(bottom: float, top: float, count: int) -> tuple[tuple[float, str], ...]:
    """The densest of the usual patterns with at most `count` ticks."""
    decades = range(math.floor(bottom), math.ceil(top) + 1)
    for mantissas in _LOG_TICKS:
        values = [mantissa * 10.0**decade for decade in decades for mantissa in mantissas]
        inside = [value for value in values if bottom - 1e-9 <= math.log10(value) <= top + 1e-9]
        if len(inside) <= count:
            break
    inside = inside[:: math.ceil(len(inside) / count)] if inside else []
    return tuple((math.log10(value), _log_label(value)) for value in inside)


def _log_label(value: float) -> str:
    return tick_label(value, 10.0 ** math.floor(math.log10(value) + 1e-9), scientific=value < 0.01)


_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def time_ticks(low: float, high: float, width: int) -> tuple[tuple[float, str], ...]:
    """Ticks of an axis of seconds that is `width` cells long, at whole minutes, hours or days where there are many."""
    count = max(1, width // 9)
    step = next((each for each in _SECONDS if (high - low) / each <= count), None)
    if step is None:
        step = 86400 * max(1, math.ceil(nice_step((high - low) / 86400, count)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((index * step, _time_label(index * step)) for index in range(first, last + 1))


def _time_label(seconds: int) -> str:
    """At most two units: 40s, 1m30, 2h, 1h30, 3d, 1d06."""
    for size, unit, part in ((86400, "d", 3600), (3600, "h", 60), (60, "m", 1)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size}{unit}" + (f"{rest:02}" if rest else "")
    return f"{seconds}s" if seconds else "0"


def step_ticks(low: float, high: float, width: int) -> tuple[tuple[float, str], ...]:
    """Ticks of a step axis that is `width` cells long, whose labels do not touch."""
    step = max(1.0, nice_step(max(high - low, 1.0), max(1, width // 9)))
    return linear_ticks(low, high, step)
