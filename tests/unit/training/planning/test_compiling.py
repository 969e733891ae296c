"""Training compiled, and where that fails; nothing is compiled here, a stand-in is told to fail."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.unit.training.helpers import run_to_end, small_config, small_model, tokens
from tui_trainer.config import Config
from tui_trainer.model.generation import Generation
from tui_trainer.run.events import Alert, Evaluation, Step
from tui_trainer.training import preparation
from tui_trainer.training.planning import compilation
from tui_trainer.training.planning.calibration import planned_timings
from tui_trainer.training.planning.compilation import compile_layers
from tui_trainer.training.probes.evaluation import evaluate
from tui_trainer.training.probes.frozen import FrozenModel

BATCHES = Config().update(batch_size=2, precision="fp32")


class Backward(torch.autograd.Function):
    """Passes activations on, and fails on the way back: code for the gradients is made only then."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        raise RuntimeError("no compiler is found")


Call = Callable[..., Tensor]


def working(call: Call, *arguments: Any) -> Tensor:
    return call(*arguments)


def failing(call: Call, *arguments: Any) -> Tensor:
    raise RuntimeError("no compiler is found")


def failing_on_the_way_back(call: Call, *arguments: Any) -> Tensor:
    return Backward.apply(call(*arguments))  # type: ignore[no-any-return, no-untyped-call]


def short_of_memory(call: Call, *arguments: Any) -> Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory")


class Compiler:
    """Stands for torch.compile, and for the stance that turns it off again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, places: Path) -> None:
        self.behaviour, self.calls, self._stance = working, 0, "default"
        monkeypatch.setattr(torch, "compile", self._compile)
        monkeypatch.setattr(torch.compiler, "set_stance", self._set_stance)
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(places))

    def _set_stance(self, stance: str) -> None:
        self._stance = stance

    def _compile(self, call: Call, **_: Any) -> Call:
        def compiled(*arguments: Any) -> Tensor:
            if self._stance == "force_eager":
                return call(*arguments)
            self.calls += 1
            return self.behaviour(call, *arguments)

        return compiled


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compiler:
    return Compiler(monkeypatch, tmp_path)


def test_a_compiled_run_learns_the_same(compiler: Compiler, corpus: Path) -> None:
    plain = run_to_end(small_config(corpus, dropout=0.2))
    assert compiler.calls == 0
    compiled = run_to_end(small_config(corpus, dropout=0.2, compile="on"))
    assert [event.loss for event in compiled.of(Step)] == [event.loss for event in plain.of(Step)]
    assert [event.val_loss for event in compiled.of(Evaluation)] == [e.val_loss for e in plain.of(Evaluation)]
    assert compiled.of(Alert) == []


def test_only_training_calls_what_is_compiled(compiler: Compiler) -> None:
    """As it is made for the one shape of the training batches."""
    model, ids = small_model(), torch.zeros(1, 3, dtype=torch.int64)
    assert compile_layers(model, BATCHES) == ""
    before = compiler.calls
    model.eval()(ids)
    assert compiler.calls == before
    model.train()(ids)
    assert compiler.calls == before + model.shape.layers


def test_hooks_fire_in_an_evaluation_of_a_compiled_model(compiler: Compiler) -> None:
    model, seen = small_model(), list[tuple[int, ...]]()
    assert compile_layers(model, BATCHES) == ""
    expected, calls = evaluate(model, tokens(100)), compiler.calls
    hook = model.model.layers[1].register_forward_hook(lambda layer, given, out: seen.append(tuple(out.shape)))
    assert evaluate(model, tokens(100)) == expected
    assert seen == [(12, 8, 16), (1, 3, 16)], "every batch, in windows"
    hook.remove()
    assert evaluate(model, tokens(100)) == expected
    assert len(seen) == 2
    assert compiler.calls == calls


def test_hooks_fire_in_a_copy_that_samples_are_written_with(compiler: Compiler) -> None:
    model, seen = small_model(), list[int]()
    compile_layers(model, BATCHES)
    copy = FrozenModel(model).freeze()
    copy.model.layers[0].register_forward_hook(lambda layer, given, out: seen.append(out.shape[1]))
    Generation(copy, [1, 2, 3], length=1, temperature=0, top_k=0, seed=1).advance()
    assert seen == [3]


def test_compiling_leaves_no_gradients(compiler: Compiler) -> None:
    model = small_model()
    compile_layers(model, BATCHES)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("behaviour", [failing, failing_on_the_way_back])
def test_a_run_that_cannot_be_compiled_goes_on_as_if_it_had_never_been(
    behaviour: Call, compiler: Compiler, corpus: Path
) -> None:
    plain = run_to_end(small_config(corpus, dropout=0.2))
    compiler.behaviour = behaviour
    session = run_to_end(small_config(corpus, dropout=0.2, compile="on"))
    assert [event.loss for event in session.of(Step)] == [event.loss for event in plain.of(Step)]
    (alert,) = session.of(Alert)
    assert (alert.step, alert.kind, alert.severity) == (0, "compile", "warning")
    assert alert.message == "Compiling failed, so steps are taken uncompiled (no compiler is found)."


def test_where_nothing_can_be_compiled_runs_go_on_too(
    compiler: Compiler, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("\n  this Python is not supported.\nUse another ...")

    monkeypatch.setattr(torch, "compile", refuse)
    session = run_to_end(small_config(corpus, compile="on"))
    assert session.snapshot().state == "finished"
    assert session.of(Alert)[0].message.endswith("(this Python is not supported).")


def test_too_little_memory_is_no_failure_to_compile(compiler: Compiler) -> None:
    compiler.behaviour = short_of_memory
    with pytest.raises(torch.OutOfMemoryError):
        compile_layers(small_model(), BATCHES)


def test_minutes_are_not_counted_with_code_that_could_not_be_made(
    compiler: Compiler, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a timed step fails to compile, the run tells, and no later run believes that code is kept."""
    monkeypatch.setattr(preparation, "planned_timings", planned_timings)
    compiler.behaviour = failing
    config = small_config(corpus, compile="on", steps=None, minutes=0.01, warmup=0, eval_every=100)
    session = run_to_end(config)
    assert [alert.kind for alert in session.of(Alert) if alert.kind != "pace"] == ["compile"]
    assert not list(compilation._code_cache().glob("*.mark"))
    assert session.snapshot().state == "finished"
