"""A run as it was at an earlier step."""

from dataclasses import replace

from tests import scripted
from tui_trainer.run.events import Alert, CheckpointSaved
from tui_trainer.state.earlier import OtherEvents, as_of
from tui_trainer.state.run_state import RunState
from tui_trainer.state.snapshot import Snapshot

OTHERS = OtherEvents.of(scripted.finished())


def finished() -> Snapshot:
    state = RunState()
    for event in [*scripted.finished(), Alert(step=1_990, kind="x", severity="warning", message="late")]:
        state.apply(event)
    return state.snapshot()


def test_it_has_the_numbers_of_its_step() -> None:
    end = finished()
    assert end.step > 700
    earlier = as_of(end, 700, "running", OTHERS)
    assert (earlier.state, earlier.step) == ("running", 700)
    assert earlier.last_step is not None and earlier.last_step.step == 700
    assert earlier.last_step.loss == scripted.step_event(700).loss
    assert earlier.elapsed < end.elapsed


def test_nothing_of_it_comes_from_later_steps() -> None:
    earlier = as_of(finished(), 700, "running", OTHERS)
    kept = [*earlier.samples, *earlier.alerts, *earlier.marks, earlier.last_evaluation, earlier.best_evaluation]
    assert earlier.samples and earlier.marks and len(earlier.alerts) < len(finished().alerts)
    assert all(each is None or each.step <= 700 for each in kept)
    assert earlier.last_evaluation is not None


def test_the_last_checkpoint_is_the_one_before() -> None:
    state = RunState()
    saves = [CheckpointSaved(step=step, path="p", reason="periodic") for step in (100, 900)]
    for event in sorted([*scripted.running(), *saves], key=lambda event: event.step):
        state.apply(event)
    saved = as_of(state.snapshot(), 700, "running", OtherEvents.of(saves)).last_checkpoint
    assert saved is not None and (saved.reason, saved.step <= 700) == ("periodic", True)


def test_before_the_first_step_nothing_is_known() -> None:
    begin = as_of(finished(), 0, "paused", OTHERS)
    assert begin.last_step is begin.last_evaluation is None
    assert begin.elapsed == 0.0


def test_it_has_what_a_snapshot_has_long_forgotten() -> None:
    state = RunState()
    events = [*scripted.running(400), *(scripted.sample_event(step, f"sample {step}") for step in range(1, 401))]
    for event in sorted(events, key=lambda event: event.step):
        state.apply(event)
    end = state.snapshot()
    assert min(sample.step for sample in end.samples) > 100
    early = as_of(end, 100, "running", OtherEvents.of(events))
    assert early.samples[0].text == "sample 100" and len(early.samples) == len(end.samples)
    known = as_of(end, 390, "running", OtherEvents.known_to(end))
    assert known.samples[0].text == "sample 390"


def test_the_best_so_far_is_an_evaluation_of_its_own_step() -> None:
    evaluations = [scripted.evaluation_event(step) for step in (100, 200, 300)]
    earlier = as_of(finished(), 250, "running", OtherEvents.of(evaluations))
    assert earlier.last_evaluation == evaluations[1]
    assert earlier.best_evaluation in (evaluations[0], evaluations[1])


def test_a_sample_of_the_best_model_is_of_the_end_although_it_names_an_earlier_step() -> None:
    samples = [scripted.sample_event(90, "early"), replace(scripted.sample_event(100, "best"), model="best")]
    shown = as_of(finished(), 700, "running", OtherEvents.of(samples)).samples
    assert [sample.text for sample in shown] == ["early"]
