"""A run that was planned anew, stopped, killed or out of disk space meanwhile, is resumed with one plan."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.cuts import Cuts
from tests.unit.training.helpers import TIMINGS, Resumed, ScriptedSession, only_run, run_to_end, stop_after
from tests.unit.training.planning.pace import SLOW, of_minutes
from tui_trainer.config import Config
from tui_trainer.run.directory import CONFIG, RunDirectory
from tui_trainer.run.events import Alert, Evaluation, RunStarted, ScheduleChanged, Step
from tui_trainer.training.planning.stored_plan import REPLANNED

PLANNED = ("cosine", "warmup-cosine")
"""Schedules that depend on a run's length at every step, without a warmup and with one."""

LOOKED_AT = 9
"""The last step that is compared where a run is not carried to its end."""


def numbers(session: ScriptedSession, since: int = 0) -> list[tuple[int, float, float]]:
    return [(event.step, event.loss, event.lr) for event in session.of(Step) if event.step > since]


@pytest.mark.parametrize(("schedule", "last"), [("wsd", 5), ("warmup-cosine", 9)])
def test_a_run_that_was_planned_anew_is_resumed_exactly(
    corpus: Path,
    tmp_path: Path,
    steps_take: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    schedule: str,
    last: int,
) -> None:
    """Stopped, and killed without a further checkpoint."""
    steps_take(SLOW)
    config = of_minutes(corpus, schedule=schedule, dropout=0.2)
    whole = ScriptedSession(config)
    with monkeypatch.context() as patches:
        killed = Cuts(tmp_path, last, False, patches, lambda event: event.step == last).run(whole)[-1]
    assert whole.of(ScheduleChanged)[0].step == 4
    stopped = run_to_end(config.update(name="stopped"), stop_after(last))
    for run, since in ((RunDirectory(killed), 0), (stopped.directory_of_run, last)):
        resumed = Resumed(run)
        resumed.run()
        began = resumed.of(RunStarted)[0]
        assert began.plan.steps == whole.of(ScheduleChanged)[0].steps
        assert 4 <= began.step <= last and began.step >= since
        assert numbers(resumed) == numbers(whole, began.step)
        assert resumed.of(ScheduleChanged) == []
        assert resumed.of(Alert)[0].message.endswith("exactly as it would have gone on.")


def numbers_of_each(session: ScriptedSession, since: int = 0) -> list[tuple[Any, ...]]:
    """Losses and learning rates of the first steps, and what was evaluated and saved at them."""
    events = [event for event in session.events if since < event.step <= LOOKED_AT]
    steps = [(e.step, e.loss, e.lr) for e in events if isinstance(e, Step)]
    return steps + [(e.step, e.val_loss) for e in events if isinstance(e, Evaluation)]


def run_for_a_while(session: ScriptedSession) -> ScriptedSession:
    """As a process that is killed after a few steps."""
    session.react = stop_after(LOOKED_AT + 1, save=False)
    session.run()
    return session


@pytest.mark.parametrize("schedule", PLANNED)
def test_a_kill_amid_the_planning_anew_leaves_one_plan(
    corpus: Path, tmp_path: Path, steps_take: Callable[..., None], monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    """The old one until there is a checkpoint of the new one, which was begun with step 4, then the new one."""
    config = of_minutes(corpus, schedule=schedule, dropout=0.2, checkpoint_every=3)
    steps_take(TIMINGS.step)
    as_before = run_for_a_while(ScriptedSession(config))
    steps_take(SLOW)
    session = ScriptedSession(config)
    with monkeypatch.context() as patches:
        cuts = Cuts(tmp_path, 4, False, patches, lambda event: isinstance(event, ScheduleChanged)).run(session)
    assert len(cuts) > 10, "places were missed"

    lengths = {3: as_before.of(RunStarted)[0].plan.steps, 4: session.of(ScheduleChanged)[0].steps}
    reached = []
    for cut in cuts:
        if not (cut / "checkpoints" / "step-00000003").exists():
            continue  # another thread was still writing the only checkpoint before
        resumed = run_for_a_while(Resumed(RunDirectory(cut)))
        began = resumed.of(RunStarted)[0]
        reached.append(began.step)
        whole = {3: as_before, 4: session}[began.step]
        assert numbers_of_each(resumed, began.step) == numbers_of_each(whole, began.step), cut.name
        assert began.plan.steps == lengths[began.step] == Config.from_toml(cut / CONFIG).schedule.steps
        (alert,) = resumed.of(Alert)
        assert alert.message.endswith("exactly as it would have gone on.")
        assert not (cut / REPLANNED).exists()
    assert reached == sorted(reached) and set(reached) == {3, 4}


@pytest.mark.parametrize(
    ("refused", "schedule"),
    zip([f".{REPLANNED}.partial", ".step-00000004.partial", ".latest.partial", CONFIG], 2 * PLANNED, strict=True),
)
def test_a_full_disk_amid_the_planning_anew_leaves_one_plan(
    corpus: Path,
    runs: Path,
    steps_take: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    schedule: str,
    refused: str,
) -> None:
    """Of whatever is written from step 4 on, one file is refused; the process is killed before the next checkpoint."""
    config = of_minutes(corpus, schedule=schedule, dropout=0.2, checkpoint_every=100, eval_every=3)
    steps_take(SLOW)
    session = ScriptedSession(config.update(name="run"), stop_after(5, save=False))
    with monkeypatch.context() as patches:
        for function in (os.open, os.mkdir, os.rename):
            patches.setattr(os, function.__name__, refusing(function, refused, session))
        session.run()
    changed = session.of(ScheduleChanged)
    assert bool(changed) == (refused == CONFIG), "the checkpoint and the new plan were saved"
    before = session.of(RunStarted)[0].plan.steps
    planned = changed[0].steps if changed else before
    assert (planned != before) == bool(changed)

    steps_take(SLOW if changed else TIMINGS.step)
    whole = run_for_a_while(ScriptedSession(config.update(name="whole")))
    resumed = run_for_a_while(Resumed(RunDirectory(runs / "run")))
    began = resumed.of(RunStarted)[0]
    assert began.plan.steps == planned
    assert numbers_of_each(resumed, began.step) == numbers_of_each(whole, began.step)
    assert numbers_of_each(session)[:5] == numbers_of_each(whole)[:5]


def refusing(change: Callable[..., Any], refused: str, session: ScriptedSession) -> Callable[..., Any]:
    def change_or_refuse(*names: Any, **options: Any) -> Any:
        if refused in names and len(session.of(Step)) == 4:
            raise OSError(28, "No space left on device")
        return change(*names, **options)

    return change_or_refuse


def test_what_a_user_changed_since_the_kill_is_kept(
    corpus: Path, tmp_path: Path, steps_take: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_take(SLOW)
    session = ScriptedSession(of_minutes(corpus))
    with monkeypatch.context() as patches:
        cuts = Cuts(tmp_path, 4, False, patches, lambda event: isinstance(event, ScheduleChanged)).run(session)
    run = RunDirectory(next(cut for cut in reversed(cuts) if (cut / REPLANNED).exists()))
    run.config.write_text(run.config.read_text(encoding="utf-8").replace("keep = 3", "keep = 7"), encoding="utf-8")
    resumed = Resumed(run, react=stop_after(5, save=False))
    resumed.run()
    config = Config.from_toml(run.config)
    assert (config.run.keep, config.schedule.steps) == (7, session.of(ScheduleChanged)[0].steps)


def test_a_resume_from_before_the_new_plan_does_not_claim_to_be_as_it_would_have_been(
    corpus: Path, runs: Path, steps_take: Callable[..., None]
) -> None:
    """The checkpoint of step 4, the first of the new plan, is damaged."""
    steps_take(SLOW)
    run_to_end(of_minutes(corpus, eval_every=3, checkpoint_every=100), stop_after(5, save=False))
    weights = only_run(runs).checkpoints / "step-00000004" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    resumed = run_for_a_while(Resumed(only_run(runs)))
    told = [alert.message for alert in resumed.of(Alert)]
    assert "Resumed at step 3, exactly as it was saved." in told
    assert any("steps in all, where" in message for message in told)


def test_the_checkpoint_of_the_new_plan_knows_its_length(
    corpus: Path, runs: Path, steps_take: Callable[..., None]
) -> None:
    steps_take(SLOW)
    session = run_to_end(of_minutes(corpus, keep=100))
    saved = json.loads((only_run(runs).checkpoints / "step-00000004" / "trainer.json").read_text(encoding="utf-8"))
    assert saved["planned_steps"] == session.of(ScheduleChanged)[0].steps
