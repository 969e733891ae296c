"""What a run that diverges does about it, from the first bad step to the last attempt."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from tests.unit.run import journals
from tests.unit.training.faults import damaged_weights, poisoned, spoiled_gradients
from tests.unit.training.helpers import Resumed, ScriptedSession, only_run, run_to_end, small_config, stop_after
from tui_trainer.run.commands import Command, Resume
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, Event, ScheduleChanged, StateChanged, Step
from tui_trainer.state.run_state import RunState
from tui_trainer.training.checkpoints.checkpoint import Checkpoint
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.step.batch_loader import HostBatchLoader

QUIET = {"eval_every": 1000, "sample_every": 1000, "checkpoint_every": 1000, "schedule": "constant", "warmup": 0}


def repairs(session: ScriptedSession) -> list[Alert]:
    """What was told, each skipped step left out."""
    return [alert for alert in session.of(Alert) if "weights" in alert.message or "paused" in alert.message]


def newest(directory: RunDirectory) -> Checkpoint:
    return CheckpointStore(directory.open(), 3).newest()[0]


def finite(checkpoint: Checkpoint) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in (checkpoint.weights | checkpoint.state).values())


@pytest.mark.parametrize("break_down", [poisoned, spoiled_gradients])
def test_three_bad_steps_bring_back_the_weights_before_them(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, break_down: Callable[[pytest.MonkeyPatch, set[int]], None]
) -> None:
    break_down(monkeypatch, {16, 17, 18})
    session = run_to_end(small_config(corpus, **QUIET, steps=50))
    (rollback,) = repairs(session)
    assert (rollback.step, rollback.kind, rollback.severity) == (19, "divergence", "error")
    assert rollback.message == (
        "The loss or its gradient was not finite for 3 steps. The weights are those of step 10 again, "
        "the text since is left out, and the learning rate is 0.5 of the planned for 20 steps "
        "(rollback 1 of at most 3)."
    )
    steps = session.of(Step)
    assert [step.step for step in steps] == list(range(1, 51))
    assert steps[19].weight_norm == steps[10].weight_norm
    rates = [round(step.lr / 1e-2, 6) for step in steps]
    assert rates == [1.0] * 19 + [0.5] * 20 + [1.0] * 11
    assert session.snapshot().state == "finished"


def planned_and_taken(directory: RunDirectory) -> Iterator[tuple[float, float]]:
    """Of every step the rate that the journal had led to expect just before, and that it had."""
    state = RunState()
    for event in journals.without_superseded(directory.journal):
        plan = state.snapshot().schedule
        if isinstance(event, Step):
            assert plan is not None
            yield plan.at(event.step - 1), event.lr
        state.apply(event)


def test_who_looks_on_knows_the_rates_to_come(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one rollback, a second amid the first one's lower rate, and a resume amid that of the second."""
    poisoned(monkeypatch, {16, 17, 18, 26, 27, 28})
    changes = {**QUIET, "steps": 60, "schedule": "linear", "warmup": 5}
    session = run_to_end(small_config(corpus, **changes), stop_after(35))
    resumed = Resumed(only_run(runs))
    resumed.run()
    told = [(event.step, event.factor, event.until) for event in session.of(ScheduleChanged)]
    assert told == [(19, 0.5, 39), (29, 0.25, 49)]
    assert [(event.step, event.until) for event in resumed.of(ScheduleChanged)] == [(35, 49)]
    rates = list(planned_and_taken(only_run(runs)))
    assert len(rates) == 60
    assert all(planned == pytest.approx(taken) for planned, taken in rates)


def test_a_resume_from_before_a_rollback_knows_nothing_of_it(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        poisoned(broken, {16, 17, 18})
        run_to_end(small_config(corpus, **{**QUIET, "checkpoint_every": 10}, steps=60), stop_after(25, save=False))
    for path in only_run(runs).checkpoints.glob("step-0000002*"):
        shutil.rmtree(path)
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert resumed.of(ScheduleChanged) == []
    assert all(planned == pytest.approx(taken) for planned, taken in planned_and_taken(only_run(runs)))


def test_no_text_is_met_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {16, 17, 18})
    take, taken = HostBatchLoader.take, list[int]()

    def remembered(self: HostBatchLoader, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        taken.append(index)
        return take(self, index)

    monkeypatch.setattr(HostBatchLoader, "take", remembered)
    run_to_end(small_config(corpus, **QUIET, steps=30))
    assert taken == list(range(30))


def test_a_loss_that_stays_up_is_undone(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(monkeypatch, {63}, factor=8.0)
    session = run_to_end(small_config(corpus, **QUIET, steps=80))
    (rollback,) = repairs(session)
    assert rollback.step == 68
    assert "was far above its usual for 5 steps. The weights are those of step 50 again" in rollback.message
    losses = [step.loss for step in session.of(Step)]
    assert min(losses[63:68]) > 2 * max(losses[68:])


def test_weights_beyond_numbers_are_replaced(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(monkeypatch, {16}, factor=math.inf)
    session = run_to_end(small_config(corpus, **QUIET, steps=40))
    assert [rollback.step for rollback in repairs(session)] == [19]
    assert all(step.weight_norm is not None for step in session.of(Step)[19:])
    assert finite(newest(session.directory_of_run))


def test_a_run_can_be_told_to_pause_instead(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {5, 6, 7})

    def check_stop(event: Event) -> Command | None:
        return Resume() if isinstance(event, StateChanged) and event.state == "paused" else None

    session = run_to_end(small_config(corpus, **QUIET, on_divergence="pause"), check_stop)
    (paused,) = [state for state in session.of(StateChanged) if state.state == "paused"]
    assert (paused.step, paused.reason) == (8, "the run diverged")
    assert "paused. Resume to go on as it is" in repairs(session)[0].message
    assert [step.lr for step in session.of(Step)] == [1e-2] * 12
    assert session.snapshot().state == "finished"


def test_a_run_can_be_told_to_stop_instead(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(monkeypatch, {5}, factor=math.nan)
    session = run_to_end(small_config(corpus, **QUIET, on_divergence="stop"))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.outcome.error.startswith(
        "The loss or its gradient was not finite for 3 steps. "
        "The weights are those of step 0 again; train again with a lower --lr."
    )
    saved = newest(session.directory_of_run)
    assert saved.progress.step == 8
    assert finite(saved)


def test_three_times_is_enough(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(monkeypatch, {12, 22, 32, 42}, factor=math.nan)
    session = run_to_end(small_config(corpus, **QUIET, steps=100))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert "3 rollbacks did not help: train again with a lower --lr." in session.outcome.error
    assert [rollback.step for rollback in repairs(session)] == [15, 25, 35, 45]
    assert [step.lr for step in session.of(Step)][-10:] == [1e-2 / 8] * 10
    saved = newest(session.directory_of_run)
    assert saved.progress.step == 45
    assert finite(saved)


def test_what_was_suspected_is_remembered_by_a_resumed_run(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two bad steps before the stop, and one after it, are three."""
    poisoned(monkeypatch, {6, 7, 8})
    run_to_end(small_config(corpus, **QUIET), stop_after(8))
    session = Resumed(only_run(runs))
    session.run()
    (rollback,) = repairs(session)
    assert rollback.step == 9
    assert "for 3 steps. The weights are those of step 0 again" in rollback.message
    assert session.snapshot().state == "finished"


def test_a_rollback_is_remembered_by_a_resumed_run(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {6, 7, 8})
    run_to_end(small_config(corpus, **QUIET), stop_after(10))
    session = Resumed(only_run(runs))
    session.run()
    assert {step.lr for step in session.of(Step)} == {5e-3}
    assert newest(only_run(runs)).progress.rollbacks == 1
