"""Too little memory for what is not a step: evaluating, sampling, copying, updating."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.training.faults import damaged_weights
from tests.unit.training.helpers import run_to_end, small_config, small_model, small_stepper, tokens
from tests.unit.training.recovery.scarcity import SHORT, SHORTAGES, Scarce, failure, told
from tui_trainer.model.generation import Generation
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.commands import Command, Generate
from tui_trainer.run.events import CheckpointSaved, Event, Sample, StateChanged, Step
from tui_trainer.training import decision_maker, end_models
from tui_trainer.training.checkpoints import record, tensor_files
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, RunFailedError, out_of_memory
from tui_trainer.training.memory import within_memory
from tui_trainer.training.probes.evaluation import evaluate
from tui_trainer.training.recovery import rollback
from tui_trainer.training.step import muon

OTHERS = (
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("Expected all tensors to be on the same device"),
    OSError(28, "No space left on device"),
    RunFailedError("The device ran out of memory: use a smaller --context or --width."),
    ValueError("out of memory"),
)


@pytest.mark.parametrize("error", SHORTAGES)
def test_what_devices_say_of_too_little_memory(error: Exception) -> None:
    assert out_of_memory(error)

    def fail() -> None:
        raise error

    with pytest.raises(MemoryError) as raised:
        within_memory(fail)
    assert str(raised.value)
    assert raised.value.__context__ is None, "and with it the frames that hold what had been made"


@pytest.mark.parametrize("error", OTHERS)
def test_what_is_something_else_is_raised_as_it_is(error: Exception) -> None:
    assert not out_of_memory(error)

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        within_memory(fail)
    assert raised.value is error


def test_a_cpu_that_has_too_little_says_so() -> None:
    with pytest.raises(MemoryError):
        within_memory(lambda: torch.empty(2**50))


# -- evaluating -----------------------------------------------------------------------------------------------------


def roomy_for(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """A device that can evaluate so many windows at once; how many were tried."""
    loss, tried = Transformer.loss, list[int]()

    def loss_with_room(self: Transformer, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if not self.training:
            tried.append(len(ids))
            if len(ids) > most:
                raise SHORT
        return loss(self, ids, targets)

    monkeypatch.setattr(Transformer, "loss", loss_with_room)
    return tried


@pytest.mark.parametrize("most", [1, 5, 100])
def test_fewer_windows_at_once_have_the_same_loss(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = small_model().train(), tokens(1001)
    expected = evaluate(model, ids)
    tried = roomy_for(monkeypatch, most)
    assert evaluate(model, ids) == pytest.approx(expected, rel=1e-6)
    assert max(tried) > most
    assert model.training


def test_an_evaluation_of_one_window_that_does_not_fit_ends_the_run(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy_for(monkeypatch, 0)
    session = run_to_end(small_config(corpus))
    assert failure(session).startswith(NOT_ENOUGH_MEMORY)
    assert session.of(StateChanged)[-1].state == "failed"
    saved = session.of(CheckpointSaved)[-1]
    assert (saved.step, saved.reason) == (4, "failed")


def test_a_shortage_amid_an_evaluation_can_be_interrupted() -> None:
    answers = iter([False, False, True])
    ids = np.zeros(5000, dtype=np.uint8)
    assert evaluate(small_model(), ids, interrupted=lambda: next(answers)) is None


# -- sampling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["__init__", "advance"])
def test_a_sample_without_room_is_told_and_training_goes_on(
    where: str, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [step.loss for step in run_to_end(small_config(corpus)).of(Step)]
    Scarce(monkeypatch, Generation, where)
    session = run_to_end(small_config(corpus))
    assert told(session) == [(0, "memory", "The sample could not be made: not enough memory.")]
    assert session.of(Sample) == []
    assert [step.loss for step in session.of(Step)] == expected
    assert session.snapshot().state == "finished"


def test_every_sample_that_was_asked_for_is_answered(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(event: Event) -> Command | None:
        return Generate() if isinstance(event, Step) and event.step in (3, 4) else None

    Scarce(monkeypatch, Generation, "advance")
    session = run_to_end(small_config(corpus, sample_every=100), ask)
    assert len(told(session)) == 3
    assert [step.step for step in session.of(Step)] == list(range(1, 13))


def test_samples_are_made_again_when_there_is_room(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Scarce(monkeypatch, Generation, "__init__", last=1)
    session = run_to_end(small_config(corpus))
    assert [step for step, _, _ in told(session)] == [0]
    assert [sample.step for sample in session.of(Sample)] == [6, 12]


# -- copying --------------------------------------------------------------------------------------------------------


def test_a_copy_for_a_checkpoint_that_has_no_room_is_told_and_tried_again(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_maker, "RETRY_SECONDS", 0.0)
    Scarce(monkeypatch, end_models, "copy_state", last=1)
    session = run_to_end(small_config(corpus, eval_every=100, checkpoint_every=5))
    assert told(session) == [(5, "checkpoint", "The checkpoint could not be saved: not enough memory.")]
    assert [saved.step for saved in session.of(CheckpointSaved)][:2] == [6, 10]
    assert session.snapshot().state == "finished"


def test_writing_a_checkpoint_may_have_no_room_either(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Scarce(monkeypatch, tensor_files, "save_file", last=1)
    session = run_to_end(small_config(corpus, eval_every=100, checkpoint_every=5))
    assert told(session) == [(5, "checkpoint", "The checkpoint could not be saved: not enough memory.")]
    assert session.of(CheckpointSaved)[0].step == 10
    assert not list(session.directory_of_run.checkpoints.glob(".*partial"))


def test_a_run_without_room_for_a_state_to_go_back_to_is_told_once(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Scarce(monkeypatch, rollback, "copy_state")
    session = run_to_end(small_config(corpus))
    assert [(step, kind) for step, kind, _ in told(session)] == [(0, "memory")]
    assert "to go back to if the run diverges" in told(session)[0][2]
    assert session.snapshot().state == "finished"
    assert copies.calls == 2, "tried again ten steps later, not at every step"


def test_the_last_weights_are_kept_where_the_best_do_not_fit_beside_them(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged_weights(monkeypatch, {9}, factor=5.0)
    worse_at_last = small_config(corpus, steps=10)
    assert "best by validation" in run_to_end(worse_at_last).snapshot().reason
    Scarce(monkeypatch, record, "read_tensors")
    session = run_to_end(worse_at_last)
    assert (session.snapshot().state, session.snapshot().reason) == ("finished", "all steps taken")


# -- updating -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [1, 2])
def test_an_update_without_room_changes_nothing(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of Muon's two sizes of matrices may have been computed by then."""
    model, undisturbed = small_model(), small_model()
    stepper, other = small_stepper(model, kind="muon"), small_stepper(undisturbed, kind="muon")
    for each in (stepper, other):
        each.take(0, 1e-2, lambda: False)
    Scarce(monkeypatch, muon, "orthogonalise", first=call, last=call)
    with pytest.raises(MemoryError):
        stepper.take(1, 1e-2, lambda: False)
    for step in (1, 2):
        for each in (stepper, other):
            each.take(step, 1e-2, lambda: False)
    assert [result.loss for result in stepper.results(wait=True)] == [
        result.loss for result in other.results(wait=True)
    ]
    assert all(torch.equal(*pair) for pair in zip(model.parameters(), undisturbed.parameters(), strict=True))
    mine, theirs = stepper.state(), other.state()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_the_optimizer_holds_all_it_will_ever_hold_before_the_first_step() -> None:
    stepper = small_stepper(small_model(), kind="adamw")
    before = {name: held.numel() for name, held in stepper.state().items()}
    assert sum(before.values()) > 2 * sum(parameter.numel() for parameter in small_model().parameters())
    stepper.take(0, 1e-2, lambda: False)
    assert {name: held.numel() for name, held in stepper.state().items()} == before


def test_a_run_goes_on_after_an_update_that_had_no_room(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Scarce(monkeypatch, muon, "orthogonalise", first=9, last=10)
    session = run_to_end(small_config(corpus, optimizer="muon"))
    assert [kind for _, kind, _ in told(session)] == ["memory", "memory"]
    assert [step.step for step in session.of(Step)] == list(range(1, 13))
    assert session.snapshot().state == "finished"
