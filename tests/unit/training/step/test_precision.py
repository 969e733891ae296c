"""The numbers a model computes with."""

import math

import pytest
import torch

from tests.unit.training.helpers import CPU, small_model, small_stepper, take, tokens
from tui_trainer.config import InputError
from tui_trainer.training.step import precision as module
from tui_trainer.training.step.precision import LossScale, bf16_speed, choose_precision

GPU = torch.device("cuda")
APPLIED, SKIPPED = torch.tensor(0.0), torch.tensor(1.0)


# -- the choice ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["fp32", "bf16"])
def test_what_is_asked_for_is_taken_without_a_reason(asked: str) -> None:
    assert choose_precision(asked, CPU) == (asked, "")


def test_fp16_is_not_for_a_cpu() -> None:
    with pytest.raises(InputError, match="--precision fp16 is for GPUs: use fp32 or bf16 on a CPU"):
        choose_precision("fp16", CPU)
    assert choose_precision("fp16", GPU) == ("fp16", "")


@pytest.mark.parametrize(
    ("ratio", "chosen"), [(0.0, "fp32"), (0.5, "fp32"), (1.1, "fp32"), (1.6, "bf16"), (8.0, "bf16")]
)
def test_a_cpu_computes_in_what_it_is_fast_at(ratio: float, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bf16_speed", lambda: ratio)
    precision, reason = choose_precision("auto", CPU)
    assert precision == chosen
    assert (f"{ratio:.1f} times" if ratio else "no fast bf16") in reason


@pytest.mark.parametrize(
    ("capability", "chosen"), [((7, 0), "fp16"), ((7, 5), "fp16"), ((8, 0), "bf16"), ((8, 9), "bf16"), ((9, 0), "bf16")]
)
def test_a_gpu_computes_in_bf16_unless_it_is_old(
    capability: tuple[int, int], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    precision, reason = choose_precision("auto", GPU)
    assert precision == chosen
    assert reason


def test_an_apple_gpu_computes_in_fp32() -> None:
    assert choose_precision("auto", torch.device("mps"))[0] == "fp32"


def test_speed_is_how_often_a_bf16_product_goes_into_one_of_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_product_seconds", lambda dtype: 0.6 if dtype == torch.float32 else 0.2)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert bf16_speed() == pytest.approx(3)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert bf16_speed() == 0


# -- steps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["adamw", "muon"])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_and_what_is_remembered_are_fp32(precision: str, kind: str) -> None:
    model = small_model()
    stepper = small_stepper(model, kind=kind, precision=precision)
    take(stepper)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert {tensor.dtype for tensor in stepper.state().values()} == {torch.float32}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_step_is_about_that_of_fp32(precision: str) -> None:
    exact, rounded = (take(small_stepper(small_model(), precision=name)) for name in ("fp32", precision))
    assert rounded.loss != exact.loss
    assert rounded.loss == pytest.approx(exact.loss, rel=1e-2)
    assert rounded.grad_norm == pytest.approx(exact.grad_norm, rel=5e-2)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_one_batch_is_learned_by_heart(precision: str) -> None:
    stepper = small_stepper(small_model(), batch_size=1, data=tokens(9), precision=precision)  # a single window
    losses = [take(stepper, step, lr=3e-3).loss for step in range(40)]
    assert losses[-1] < 0.05 < losses[0]


def test_fp16_recovers_from_a_scale_that_is_too_large() -> None:
    model = small_model()
    stepper = small_stepper(model, precision="fp16")
    stepper._loss_scale.value.fill_(2.0**40)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    assert not take(stepper, 0).finite
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))
    assert stepper.state()["loss_scale.value"] == 2.0**39


# -- the scale of the loss -----------------------------------------------------------------------------------------


def test_it_halves_when_a_step_is_skipped_and_doubles_after_many_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LossScale, "PATIENCE", 3)
    scale = LossScale("fp16", CPU)
    outcomes = [SKIPPED, APPLIED, APPLIED, SKIPPED, APPLIED, APPLIED, APPLIED, APPLIED, APPLIED, APPLIED]
    values = []
    for outcome in outcomes:
        scale.update(outcome)
        values.append(math.log2(scale.value.item() / LossScale.START))
    assert values == [-1, -1, -1, -2, -2, -2, -1, -1, -1, 0]


def test_gradients_are_divided_by_it() -> None:
    scale = LossScale("fp16", CPU)
    gradients = [torch.full((2, 3), LossScale.START), torch.full((4,), -2 * LossScale.START)]
    scale.unscale(gradients)
    assert torch.equal(gradients[0], torch.ones(2, 3))
    assert torch.equal(gradients[1], torch.full((4,), -2.0))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_other_precisions_need_none(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LossScale, "PATIENCE", 1)
    scale = LossScale(precision, CPU)
    gradients = [torch.ones(3)]
    for outcome in (SKIPPED, APPLIED, APPLIED):
        scale.update(outcome)
        scale.unscale(gradients)
    assert scale.value == 1
    assert torch.equal(gradients[0], torch.ones(3))
    assert scale.state() == {}


def test_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LossScale, "PATIENCE", 3)
    one, other = LossScale("fp16", CPU), LossScale("fp16", CPU)
    for outcome in (SKIPPED, APPLIED, APPLIED):
        one.update(outcome)
    other.load({name: tensor.clone() for name, tensor in one.state().items()})
    for scale in (one, other):
        scale.update(APPLIED)
        assert scale.value == LossScale.START
