"""Compiled steps: whether they pay for their slow start."""

import importlib.util
import shutil

import pytest
import torch

from tests.unit.training.helpers import small_model
from tui_trainer.config import Config
from tui_trainer.training.planning import compilation
from tui_trainer.training.planning.compilation import Gain, choose_compilation, compile_layers, compiled_seconds

MINUTE, HOUR, MONTH = 60.0, 3600.0, 30 * 24 * 3600.0


def config(device: str = "cpu", compile: str = "auto") -> Config:
    return Config().update(device=device, compile=compile)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What this machine has; a test may take something away."""
    there, which, find_spec = {"g++", "triton"}, shutil.which, importlib.util.find_spec
    asked_for = {"g++", "clang++", "triton"}
    monkeypatch.setattr(shutil, "which", lambda name: name in there if name in asked_for else which(name))
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name in there if name in asked_for else find_spec(name)
    )
    return there


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_long_run_is_compiled_and_a_short_one_not(device: str, tools: set[str]) -> None:
    choices = [choose_compilation(config(device), seconds)[0] for seconds in (1.0, MINUTE, 10 * HOUR, MONTH)]
    assert choices == ["off", "off", "on", "on"]


def test_the_reason_has_what_it_costs_and_what_it_saves(tools: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compilation.GAINS, "cpu", Gain(30, 4, 0.75))
    _, reason = choose_compilation(config(), 4 * HOUR)
    assert reason == "it takes about 30s and saves about 1h00m in this run"


@pytest.mark.parametrize("asked", ["on", "off"])
@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_what_is_asked_for_is_taken_without_a_reason(asked: str, device: str, tools: set[str]) -> None:
    tools.clear()
    for seconds in (1.0, MONTH):
        assert choose_compilation(config(device, asked), seconds) == (asked, "")


@pytest.mark.parametrize(
    ("device", "lacking", "says"),
    [("cpu", "g++", "there is no C++ compiler"), ("cuda", "triton", "there is no Triton")],
)
def test_without_a_compiler_there_is_none(device: str, lacking: str, says: str, tools: set[str]) -> None:
    tools.remove(lacking)
    assert choose_compilation(config(device), MONTH) == ("off", says)


def test_either_compiler_will_do(tools: set[str]) -> None:
    tools.remove("g++")
    tools.add("clang++")
    assert choose_compilation(config(), MONTH)[0] == "on"


def test_an_apple_gpu_is_left_alone(tools: set[str]) -> None:
    assert choose_compilation(config("mps"), MONTH)[0] == "off"


def test_what_steps_will_take(tools: set[str]) -> None:
    assert compiled_seconds(config(), MINUTE, 0.1) == (0.0, 0.1)
    assert compiled_seconds(config("mps"), MONTH, 0.1) == (0.0, 0.1)
    start, step = compiled_seconds(config(), MONTH, 0.1)
    assert start > 0
    assert 0 < step < 0.1
    assert compiled_seconds(config(compile="on"), MINUTE, 0.1) == (start, step)


def test_code_that_is_kept_costs_less(tools: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs of the same shape; how deep a model is does not matter, as its layers share the code."""
    monkeypatch.setitem(compilation.GAINS, "cpu", Gain(30, 4, 0.75))
    monkeypatch.setattr(torch, "compile", lambda call, **_: call)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "nowhere")
    shape = {"width": 16, "heads": 2, "context": 8, "batch_size": 2, "compile": "on", "device": "cpu"}
    one, deep, wide = (
        Config().update(precision="fp32", **shape | change) for change in ({}, {"layers": 9}, {"width": 32})
    )
    compilation._code_cache().mkdir(parents=True)
    assert [compiled_seconds(each, HOUR, 1.0)[0] for each in (one, deep, wide)] == [30, 30, 30]
    compile_layers(small_model(), one)
    assert [compiled_seconds(each, HOUR, 1.0)[0] for each in (one, deep, wide)] == [4, 4, 30]
