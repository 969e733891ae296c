"""Numbers as text for the screen: short, and of a width that stays the same from one step to the next."""

import math

from tui_trainer.run.text import human_count

UNKNOWN = "–"


def fixed(value: float | None, decimals: int = 2) -> str:
    """With a fixed number of decimals, as a loss: 1.62; a dash for None and for what is not finite."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:.{decimals}f}" if abs(value) < 1000 else human_count(value)


def significant(value: float | None) -> str:
    """At most three significant digits: 0.81, 14.2, 142, 12.4K; a dash for None and for what is not finite."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value and abs(value) < 0.01:
        return scientific(value)
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else human_count(value)


def scientific(value: float) -> str:
    """In scientific notation, as a learning rate: 2.8e-3."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def milliseconds(seconds: float | None) -> str:
    """A duration in seconds, as of a step: 4.2 ms, 42 ms, 1.35 s."""
    if seconds is None:
        return UNKNOWN
    thousandths = seconds * 1000
    if thousandths >= 1000:
        return f"{seconds:.2f} s"
    return f"{thousandths:.1f} ms" if thousandths < 10 else f"{thousandths:.0f} ms"


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else UNKNOWN
