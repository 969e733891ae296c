"""Events folded into what the screens show."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from tests.folding import curve, folded
from tests.unit.run.examples import EXAMPLES
from tests.unit.state.folded import BEGUN, evaluation, fold, look, quick_evaluation, sample, started, state, step
from tests.waiting import TIMEOUT
from tui_trainer.analysis.schedules import Schedule
from tui_trainer.history.history import History
from tui_trainer.run.commands import Command
from tui_trainer.run.events import Alert, BranchStarted, CheckpointSaved, Event, Resources, ScheduleChanged, Stage
from tui_trainer.sessions.base import QUEUE_LIMIT, Session
from tui_trainer.state.run_state import CHANGES, RunState
from tui_trainer.state.snapshot import Snapshot


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
def test_each_kind_of_event_changes_fields_of_the_snapshot_alone(event: Event) -> None:
    """A misspelled name would be one more attribute, which nothing shows."""
    state = fold(*BEGUN, step(1))
    assert CHANGES[type(event)](state, event).keys() <= {spec.name for spec in fields(Snapshot)}


def test_before_anything_it_is_loading() -> None:
    snapshot = look()
    assert (snapshot.state, snapshot.step, snapshot.run, snapshot.schedule) == ("loading", 0, None, None)
    assert snapshot.time_left is snapshot.smoothed_loss is snapshot.last_step is None


def test_a_short_run() -> None:
    snapshot = look(
        Stage(stage="reading", done=1, total=2),
        Stage(stage="reading", done=2, total=2),
        Stage(stage="tokenizing"),
        *BEGUN,
        sample(0, "xq"),
        step(1, loss=3.0),
        step(2, loss=2.0),
        evaluation(2, 2.5, best=True),
        CheckpointSaved(step=2, path="step-00000002", reason="best"),
        step(3, loss=1.0, grad_norm=1.5),
        evaluation(3, 2.6, best=False),
        sample(3, "cat"),
        Resources(step=3, memory_bytes=5, device_memory_bytes=0),
        Alert(step=3, kind="a", severity="info", message="first"),
        Alert(step=3, kind="b", severity="info", message="second"),
        state("finished", 104.0, 3, "all steps taken"),
    )
    assert (snapshot.state, snapshot.reason, snapshot.step) == ("finished", "all steps taken", 3)
    assert snapshot.stages_done == ("reading",)
    assert snapshot.last_step == step(3, loss=1.0, grad_norm=1.5)
    assert snapshot.clipped_share == pytest.approx(1 / 3)
    assert snapshot.last_evaluation is not None
    assert snapshot.best_evaluation is not None
    assert (snapshot.last_evaluation.step, snapshot.best_evaluation.step) == (3, 2)
    assert [sample.step for sample in snapshot.samples] == [3, 0]
    assert [alert.message for alert in snapshot.alerts] == ["second", "first"]
    assert snapshot.last_checkpoint is not None
    assert snapshot.resources is not None
    assert (snapshot.temperature, snapshot.prompt) == (0.8, "The")
    assert snapshot.schedule == Schedule("wsd", 3e-3, 0.0, 100, 100)
    assert curve(snapshot, "loss").mean.tolist() == [3, 2, 1]
    assert curve(snapshot, "grad_norm").mean.tolist() == [0.5, 0.5, 1.5]
    assert curve(snapshot, "val_loss").steps.tolist() == [2, 3]
    assert 1 < (snapshot.smoothed_loss or 0) < 3
    assert curve(snapshot, "smoothed_loss").mean[-1] == snapshot.smoothed_loss


def test_an_evaluation_of_a_sample_is_a_curve_of_its_own() -> None:
    snapshot = look(*BEGUN, step(1), evaluation(1, 2.5, best=True), step(2), quick_evaluation(2, 1.5))
    assert (snapshot.last_evaluation, snapshot.best_evaluation) == (evaluation(1, 2.5, best=True),) * 2
    assert snapshot.last_quick_evaluation == quick_evaluation(2, 1.5)
    assert [mark.step for mark in snapshot.marks] == [1]
    assert curve(snapshot, "val_loss").mean.tolist() == [2.5]
    assert curve(snapshot, "sampled_val_loss").mean.tolist() == [1.5]
    assert curve(snapshot, "sampled_val_error").mean.tolist() == [0.25]


def test_the_version_grows_with_every_event() -> None:
    folded = RunState()
    for count, event in enumerate((*BEGUN, step(1), Stage(stage="x")), start=1):
        folded.apply(event)
        assert folded.version == folded.snapshot().version == count


def test_a_snapshot_is_frozen() -> None:
    folded = fold(*BEGUN, step(1), sample(1, "a"), evaluation(1, 2.0, best=True))
    before = folded.snapshot()
    kept = (before.step, before.samples, before.alerts, before.elapsed, curve(before, "loss").mean.tolist())
    for event in (step(2, loss=9.0), sample(2, "b"), Alert(kind="a", severity="info", message="m"), started(step=1)):
        folded.apply(event)
    assert (before.step, before.samples, before.alerts, before.elapsed, curve(before, "loss").mean.tolist()) == kept
    with pytest.raises(FrozenInstanceError):
        before.step = 5  # type: ignore[misc]


# -- going back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [started(step=500), BranchStarted(step=500, id=2, parent=1)], ids=["resume", "branch"])
def test_what_came_after_the_step_that_a_run_goes_back_to_is_dropped(back: Event) -> None:
    old, new = (
        [
            step(number),
            evaluation(number, 2.0, best=True),
            quick_evaluation(number, 2.0),
            sample(number, "cat", prompt=f"at {number}"),
            Alert(step=number, kind="divergence", severity="error", message="Rolled back."),
            CheckpointSaved(step=number, path=f"step-{number:08}", reason="periodic"),
        ]
        for number in (500, 501)
    )
    found = fold(*BEGUN, *old, *new, back)
    snapshot = found.snapshot()
    assert (snapshot.step, snapshot.best_evaluation, snapshot.last_checkpoint) == (500, None, None)
    assert snapshot.last_quick_evaluation is None and curve(snapshot, "sampled_val_loss").steps.tolist() == [500]
    assert [each.step for each in (*snapshot.samples, *snapshot.alerts)] == [500, 500]
    assert {mark.step for mark in snapshot.marks} == {500}
    assert list(found.first_samples) == ["at 500"]
    assert snapshot.absence is not None
    assert [alert.step for alert in snapshot.absence.alerts] == [500, 501]


# -- special steps -------------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_is_a_gap() -> None:
    snapshot = look(*BEGUN, step(1), step(2, loss=None, grad_norm=None), step(3))
    np.testing.assert_array_equal(curve(snapshot, "loss").mean, [2, np.nan, 2])
    assert snapshot.smoothed_loss == pytest.approx(2.0)
    assert snapshot.clipped_share == 0


def test_a_suspended_process_does_not_change_the_time_left() -> None:
    steady = [step(number, time=100.0 + number) for number in range(1, 31)]
    before = look(*BEGUN, *steady)
    after = look(*BEGUN, *steady, step(31, time=3_800.0), step(32, time=3_801.0))
    assert before.time_left is not None and after.time_left is not None
    assert after.time_left.seconds == pytest.approx(before.time_left.seconds, abs=3)
    assert after.elapsed == pytest.approx(before.elapsed + 1)


def test_the_clipped_share_is_that_of_all_steps_taken_also_after_a_resume() -> None:
    norms = [step(number, grad_norm=2.0 if number > 2 else 0.5) for number in range(1, 5)]
    resumed = [*BEGUN, *norms, started(step=4)]
    assert look(*resumed).clipped_share == pytest.approx(2 / 4)
    assert look(*resumed, step(5, grad_norm=0.5)).clipped_share == pytest.approx(2 / 5)


def test_without_clipping_nothing_is_clipped() -> None:
    assert look(started(clip=0.0), step(1, grad_norm=50.0)).clipped_share == 0


def test_a_resumed_run_drops_what_it_takes_again() -> None:
    """Killed at step 5, its last checkpoint at step 3."""
    first = [*BEGUN, *(step(number, loss=float(number)) for number in range(1, 6)), evaluation(4, 2.0, best=False)]
    snapshot = look(*first, started(step=3, time=500.0))
    assert snapshot.step == 3
    assert snapshot.last_step is None
    assert curve(snapshot, "loss").steps.tolist() == [1, 2, 3]
    assert len(curve(snapshot, "val_loss")) == 0
    snapshot = look(*first, started(step=3, time=500.0), state("running", 500.0, 3), step(4, 501.0, loss=40.0))
    assert curve(snapshot, "loss").mean.tolist() == [1, 2, 3, 40]
    assert snapshot.step == 4


def test_an_evaluation_that_is_done_again_counts_once() -> None:
    """Saved by hand amid an evaluation, then killed, and resumed on a machine that rounds otherwise."""
    first = [*BEGUN, step(1), evaluation(1, 4.0, best=True), step(2), evaluation(2, 3.0, best=True)]
    again = [started(step=2, time=500.0), state("running", 500.0, 2), evaluation(2, 3.001, best=True)]
    snapshot = look(*first, *again, step(3))
    assert curve(snapshot, "val_loss").steps.tolist() == [1, 2]
    assert curve(snapshot, "val_loss").mean.tolist() == [4.0, 3.001]
    assert snapshot.last_evaluation == snapshot.best_evaluation == evaluation(2, 3.001, best=True)


def test_a_run_that_was_just_taken_up_has_not_ended() -> None:
    assert look(*BEGUN, step(1), state("finished", 102.0, 1), started(step=1, time=500.0)).state == "loading"


def test_the_rates_that_were_used_stay_when_the_plan_changes() -> None:
    used = [0.1, 0.2, 0.3]
    first = [*BEGUN, *(step(number, lr=rate) for number, rate in enumerate(used, 1))]
    snapshot = look(*first, started(step=3, time=500.0, steps=1_000))
    assert curve(snapshot, "lr").mean.tolist() == used
    assert snapshot.schedule == Schedule("wsd", 3e-3, 0.0, 100, 1_000)


def test_a_changed_schedule_holds_until_a_trainer_takes_the_run_up() -> None:
    plan = {"schedule": "wsd", "lr": 3e-3, "min_lr": 0.0, "warmup": 100, "steps": 100}
    eased = ScheduleChanged(step=40, time=140.0, **plan, factor=0.5, until=60)
    assert look(*BEGUN, eased).schedule == Schedule("wsd", 3e-3, 0.0, 100, 100, factor=0.5, until=60)
    assert look(*BEGUN, eased, started(step=30, time=500.0)).schedule == Schedule("wsd", 3e-3, 0.0, 100, 100)


class Idle(Session):
    def run(self) -> None: ...

    def send(self, command: Command) -> None: ...


def test_listeners_hear_what_is_published_and_not_what_is_recalled() -> None:
    idle = Idle()
    received = [idle.subscribe(), idle.subscribe()]
    idle.replace_state(folded([step(1)]))
    idle.publish(step(2))
    assert [queue.get_nowait() for queue in received] == [step(2), step(2)]
    assert all(queue.empty() for queue in received)
    assert idle.snapshot().step == 2


def test_a_listener_that_has_fallen_behind_still_hears_how_it_ended() -> None:
    idle = Idle()
    received = idle.subscribe()
    for number in range(QUEUE_LIMIT + 50):
        idle.publish(step(number))
    assert received.qsize() == QUEUE_LIMIT
    end = state("finished", 1.0)
    idle.publish(end)
    assert [received.get_nowait() for _ in range(received.qsize())][-1] == end


def test_a_run_that_is_planned_anew_has_its_new_length_and_schedule() -> None:
    run = replace(started(), reasons={"steps": "100, as it was", "compile": "off"})
    changed = ScheduleChanged(step=2, steps=20, schedule="cosine", lr=0.5, min_lr=0.1, warmup=3, reason="20, as is")
    now = fold(run, state("running", 100.0), step(1), step(2), changed).snapshot()
    assert now.run is not None
    assert now.schedule == Schedule("cosine", 0.5, 0.1, 3, 20)
    assert (now.step, now.run.reasons) == (2, {"steps": "20, as is", "compile": "off"})
    assert fold(changed).snapshot().run is None


def test_a_run_that_was_planned_anew_and_is_taken_up_has_the_length_it_is_taken_up_with() -> None:
    changed = ScheduleChanged(step=2, steps=20, schedule="wsd", lr=0.5, min_lr=0.1, warmup=3)
    now = fold(started(), step(1), step(2), changed, started(step=2, steps=30)).snapshot()
    assert now.run is not None and now.run.plan.steps == 30


def test_a_snapshot_does_not_wait_for_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which copies whole arrays now and then."""
    session, adding, looked = Idle(), threading.Event(), threading.Event()
    add = History.add

    def add_later(history: History, step: int, values: Mapping[str, float | None]) -> None:
        adding.set()
        assert looked.wait(TIMEOUT)
        add(history, step, values)

    monkeypatch.setattr(History, "add", add_later)
    with ThreadPoolExecutor() as threads:
        published = threads.submit(session.publish, step(1))
        assert adding.wait(TIMEOUT)
        before = threads.submit(session.snapshot)
        try:
            assert before.result(TIMEOUT).step == 0
        finally:
            looked.set()
        published.result(TIMEOUT)
    assert session.snapshot().step == 1
    assert curve(session.snapshot(), "loss").mean.tolist() == [2.0]
