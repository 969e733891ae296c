"""The validation loss, as several panes draw it: exact evaluations, and quick ones of a sample between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tui_trainer.history.curve import Curve
from tui_trainer.ui.charts.plot import Line
from tui_trainer.ui.charts.series import between
from tui_trainer.ui.view import View


@dataclass(frozen=True)
class ValidationCurves:
    """`band` is the sample's loss less and plus its standard error."""

    exact: Curve
    sampled: Curve
    band: Curve

    def means(self, start: float, end: float) -> list[np.ndarray]:
        """The losses from a step to another, for the limits of a chart."""
        return [between(curve, start, end).mean for curve in (self.exact, self.sampled)]


@dataclass(frozen=True)
class ValidationReading:
    """The validation loss under the cursor; `error` is the standard error of a sample's, None of an exact one."""

    loss: float | None
    error: float | None = None


def validation_curves(view: View) -> ValidationCurves:
    sampled = view.curve("sampled_val_loss")
    return ValidationCurves(view.curve("val_loss"), sampled, _band(sampled, view.curve("sampled_val_error")))


def _band(loss: Curve, error: Curve) -> Curve:
    """None around a loss whose error is not known, as where it was of a single window."""
    half = np.interp(loss.steps, error.steps, error.mean) if len(error) else np.full(len(loss), np.nan)
    return Curve(loss.steps, loss.mean - half, loss.mean + half, loss.mean, loss.count)


def validation_lines(curves: ValidationCurves) -> Sequence[Line]:
    """A dotted line of the exact evaluations; where there are quick ones a line of these, the exact ones as dots."""
    if not len(curves.sampled):
        return [Line(curves.exact, "second", dotted=True)]
    return [
        Line(curves.band, "second-dim", band=True, whole=False),
        Line(curves.sampled, "second"),
        Line(curves.exact, "second", dotted=True, joined=False),
    ]


def read_validation(view: View) -> ValidationReading:
    """What was measured in the column of the cursor, exactly if it was, else the newest of all before."""
    exact, sampled = view.read("val_loss"), view.read("sampled_val_loss")
    newest = exact.steps[-1] if len(exact) else -np.inf
    if view.pointed is None or not len(sampled) or newest >= min(view.pointed[0], sampled.steps[-1]):
        return ValidationReading(view.value("val_loss"))
    return ValidationReading(view.value("sampled_val_loss"), view.value("sampled_val_error"))
