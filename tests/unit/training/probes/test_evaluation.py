"""Validation over the whole part."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.training.helpers import load, run_to_end, small_config, small_model, small_stepper, take, tokens
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import Evaluation, Step
from tui_trainer.training.probes import evaluation
from tui_trainer.training.probes.evaluation import evaluate


def directly(model: Transformer, ids: np.ndarray) -> float:
    """Each token's loss after those before it in its window, one at a time."""
    losses = []
    for start in range(0, len(ids) - 1, model.shape.context):
        window = torch.from_numpy(ids[start : start + model.shape.context + 1].astype(np.int64))
        logits = model(window[None, :-1])[0]
        losses += [-torch.log_softmax(logits[i], dim=-1)[window[i + 1]].item() for i in range(len(window) - 1)]
    assert len(losses) == len(ids) - 1
    return float(np.mean(losses))


@pytest.mark.parametrize("count", [2, 8, 9, 10, 16, 17, 100, 1001])
@pytest.mark.parametrize("batch", [1, 24, 4096])
def test_it_is_the_mean_over_every_token(count: int, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TOKENS_PER_BATCH", batch)
    model = small_model()
    loss = evaluate(model, tokens(count))
    assert loss == pytest.approx(directly(model, tokens(count)), rel=1e-5)


def test_dropout_is_off_and_training_goes_on_after() -> None:
    model = small_model(dropout=0.5).train()
    assert evaluate(model, tokens(200)) == evaluate(small_model().train(), tokens(200))
    assert all(module.training for module in model.modules())


def test_nothing_random_in_training_reaches_it() -> None:
    model = small_model(dropout=0.5).train()
    stepper = small_stepper(model, masking=0.5)
    take(stepper)
    assert evaluate(model, tokens(200)) == evaluate(model, tokens(200))


def test_it_computes_with_the_precision_of_the_run() -> None:
    exact, rounded = (evaluate(small_model(), tokens(200), precision) for precision in ("fp32", "bf16"))
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=1e-2)


def test_it_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TOKENS_PER_BATCH", 8)
    model = small_model().train()
    answers = iter([False, False, True])
    assert evaluate(model, tokens(200), interrupted=lambda: next(answers)) is None
    assert model.training


def test_a_failure_leaves_the_model_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model().train()
    with pytest.raises(IndexError):
        evaluate(model, np.full(20, 200, dtype=np.uint8))
    assert model.training


def test_the_event_has_all_measures_of_the_loss(corpus: Path) -> None:
    session = run_to_end(small_config(corpus))
    for event in session.of(Evaluation):
        steps = [step.loss for step in session.of(Step) if event.step - 4 < step.step <= event.step]
        assert event.train_loss == pytest.approx(np.mean(steps))
        assert event.perplexity == pytest.approx(math.exp(event.val_loss))
        text = load(corpus)
        nats = event.val_loss * (len(text.val) - 1)
        assert event.bits_per_byte == pytest.approx(nats / math.log(2) / text.val_bytes)
