"""Quick evaluations: of the same windows all run long, and without a trace in training."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.training.helpers import ScriptedSession, load, run_to_end, small_config, small_model, steps_of
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import SAMPLE, WHOLE, Evaluation, Event
from tui_trainer.training import decision_maker
from tui_trainer.training.decision import Decision
from tui_trainer.training.probes.quick_validation import QuickValidation
from tui_trainer.training.progress import Progress

DUE = Decision(evaluate_quickly=True)


class Evaluated:
    """Quick evaluations of a small model, whose events and times are kept."""

    def __init__(self, corpus: Path, model: Transformer, **changes: Any) -> None:
        self.corpus, self.events, self.seconds = load(corpus), list[Event](), list[float]()
        config, progress = small_config(corpus, **changes), Progress("", 1.0, "", step=7)
        publish, took = self.events.append, self.seconds.append
        self.probe = QuickValidation(model, self.corpus, progress, config, publish, took)

    def take(self) -> Any:
        """The event of one evaluation; None where there was none."""
        before = len(self.events)
        probe = self.probe.exclusive(DUE)
        assert probe is not None
        for _ in probe:
            pass
        return self.events[-1] if len(self.events) > before else None


def model_for(corpus: Path, **changes: Any) -> Transformer:
    return small_model(vocab_size=load(corpus).tokenizer.vocab_size, **changes)


def test_it_is_the_mean_of_its_windows_and_their_standard_error(corpus: Path) -> None:
    model = model_for(corpus, dropout=0.5).train()
    evaluated = Evaluated(corpus, model, batch_size=5)
    event = evaluated.take()
    plain, val = model_for(corpus).eval(), evaluated.corpus.val
    starts = [(2 * at + 1) * ((len(val) - 1) // 8) // 20 * 8 for at in range(10)]
    windows = [torch.from_numpy(val[start : start + 9].astype(np.int64))[None] for start in starts]
    losses = [plain.loss(window[:, :-1], window[:, 1:]).item() for window in windows]
    assert event.val_loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert event.standard_error == pytest.approx(np.std(losses, ddof=1) / math.sqrt(10), rel=1e-4)
    assert (event.step, event.part, event.best, event.train_loss) == (7, SAMPLE, False, None)
    assert event.perplexity == pytest.approx(math.exp(event.val_loss))
    assert all(module.training for module in model.modules())
    assert evaluated.take().val_loss == event.val_loss and len(evaluated.seconds) == 2


def test_a_small_validation_part_is_evaluated_whole(corpus: Path) -> None:
    evaluated = Evaluated(corpus, model_for(corpus), batch_size=1000)
    assert len(evaluated.probe._inputs) == (len(evaluated.corpus.val) - 1) // 8


def test_one_window_has_no_standard_error(corpus: Path) -> None:
    corpus.write_text(corpus.read_text()[:60])
    assert Evaluated(corpus, model_for(corpus)).take().standard_error is None


def limited(rows: int, original: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def row_losses(tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if len(tokens) > rows:
            raise MemoryError
        return original(tokens, targets)

    return row_losses


def test_windows_that_do_not_fit_into_memory_are_taken_in_smaller_batches(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_for(corpus)
    evaluated = Evaluated(corpus, model)
    expected = evaluated.take().val_loss
    monkeypatch.setattr(model, "row_losses", limited(2, model.row_losses))
    assert evaluated.take().val_loss == pytest.approx(expected, rel=1e-5)
    monkeypatch.setattr(model, "row_losses", limited(0, model.row_losses))
    assert evaluated.take() is None and len(evaluated.seconds) == 3
    assert model.training


def quickly(monkeypatch: pytest.MonkeyPatch, corpus: Path, **changes: Any) -> ScriptedSession:
    """A run with as many quick evaluations as are due."""
    with monkeypatch.context() as patches:
        patches.setattr(decision_maker, "QUICK_SHARE", math.inf)
        return run_to_end(small_config(corpus, **changes))


def test_they_fill_the_steps_without_an_exact_one(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluations = quickly(monkeypatch, corpus).of(Evaluation)
    assert [event.step for event in evaluations if event.part == SAMPLE] == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert [event.step for event in evaluations if event.part == WHOLE] == [4, 8, 12]


def test_training_is_the_same_to_the_bit_with_them(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"dropout": 0.2, "patience": 2, "steps": 20}
    told = []
    for session in (
        run_to_end(small_config(corpus, name="without", **settings)),
        quickly(monkeypatch, corpus, name="with", **settings),
    ):
        assert session.directory is not None
        weights = session.directory.checkpoints / f"step-{20:08}" / "model.safetensors"
        whole = [(e.step, e.train_loss, e.val_loss, e.best) for e in session.of(Evaluation) if e.part == WHOLE]
        told.append((steps_of(session.events), whole, weights.read_bytes()))
    assert told[0] == told[1]
