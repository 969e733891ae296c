"""What a run does about steps that are not finite."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.unit.training.faults import poisoned
from tests.unit.training.helpers import run_to_end, small_config
from tui_trainer.run.events import Alert, Evaluation, Sample, Step
from tui_trainer.training.step.stepper import Stepper


def test_a_skipped_update_is_an_alert_and_a_gap(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {4, 6})
    session = run_to_end(small_config(corpus))
    assert session.snapshot().state == "finished"
    assert [(alert.step, alert.kind, alert.severity) for alert in session.of(Alert)] == [
        (5, "divergence", "error"),
        (7, "divergence", "error"),
    ]
    skipped = session.of(Step)[4]
    assert skipped.loss is None
    assert skipped.grad_norm is None
    assert math.isfinite(skipped.weight_norm)
    assert session.of(Step)[5].weight_norm == skipped.weight_norm
    assert all(event.train_loss is not None and math.isfinite(event.train_loss) for event in session.of(Evaluation))


def test_a_model_beyond_numbers_can_be_shown(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its samples and validations, due all the while, are no failure; and then it is a model again."""
    take_step = Stepper.take

    def take_and_break(self: Stepper, step: int, lr: float, interrupted: Callable[[], bool]) -> bool:
        if step == 3:
            with torch.no_grad():
                self._parameters[0].fill_(math.nan)
        return take_step(self, step, lr, interrupted)

    monkeypatch.setattr(Stepper, "take", take_and_break)
    session = run_to_end(small_config(corpus, sample_every=1, eval_every=1))
    evaluations = session.of(Evaluation)
    assert [event.step for event in evaluations if event.val_loss is None] == [4, 5]
    assert all(event.perplexity is None for event in evaluations if event.val_loss is None)
    assert {4, 5} <= {event.step for event in session.of(Sample)}
    assert session.snapshot().state == "finished"
