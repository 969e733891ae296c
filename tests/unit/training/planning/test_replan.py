"""A run of so many minutes whose steps take another time than was measured is planned anew, once."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.cuts import Cuts
from tests.unit.training.helpers import (
    TIMINGS,
    Resumed,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    stop_after,
)
from tui_trainer.config import Config
from tui_trainer.run.directory import CONFIG, RunDirectory
from tui_trainer.run.events import Alert, Evaluation, RunStarted, ScheduleChanged, Step
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.overview import overview
from tui_trainer.training import preparation
from tui_trainer.training.planning.plan import Timings
from tui_trainer.training.planning.replan import step_time
from tui_trainer.training.planning.stored_plan import REPLANNED
from tui_trainer.training.step.stepper import Stepper, StepResult

PLANNED = ("cosine", "warmup-cosine")
"""Schedules that depend on a run's length at every step, without a warmup and with one."""

MINUTES = 0.02
SLOW = 5 * TIMINGS.step
"""Seconds: steps that take so long are judged after the fourth."""

LOOKED_AT = 9
"""The last step that is compared where a run is not carried to its end."""


@pytest.fixture
def steps_take(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says how long each step takes, the last time for all that follow, whatever they take here."""
    results = Stepper.results

    def take(*seconds: float) -> None:
        left: Iterator[float] = chain(seconds, repeat(seconds[-1]))

        def timed(self: Stepper, wait: bool) -> list[StepResult]:
            return [replace(result, seconds=next(left)) for result in results(self, wait)]

        monkeypatch.setattr(Stepper, "results", timed)

    return take


def of_minutes(corpus: Path, **changes: Any) -> Config:
    looks = {"eval_every": None, "sample_every": None, "checkpoint_every": None}
    return small_config(corpus, **{"steps": None, "minutes": MINUTES, "warmup": None, **looks, **changes})


def numbers(session: ScriptedSession, since: int = 0) -> list[tuple[int, float, float]]:
    return [(event.step, event.loss, event.lr) for event in session.of(Step) if event.step > since]


@pytest.mark.parametrize("seconds", [SLOW, 0.4 * TIMINGS.step], ids=["slower", "faster"])
def test_a_run_at_another_pace_has_as_many_steps_as_fit_its_minutes(
    corpus: Path, runs: Path, steps_take: Callable[..., None], seconds: float
) -> None:
    steps_take(seconds)
    session = run_to_end(of_minutes(corpus))
    (changed,) = session.of(ScheduleChanged)
    planned = session.of(RunStarted)[0].plan.steps
    assert 0.5 < changed.steps * seconds / (60 * MINUTES) < 1, "with room for looking at it"
    assert [event.step for event in session.of(Step)] == [*range(1, changed.steps + 1)]
    assert session.of(Step)[-1].lr == 0.0, "the learning rate ends with the run"
    evaluated = [event.step for event in session.of(Evaluation)]
    assert len(evaluated) >= 4 and evaluated[-1] == changed.steps, "and it is looked at as often as any run"

    (alert,) = session.of(Alert)
    assert alert.severity == ("warning" if changed.steps < planned else "info"), "more steps are good notifications"
    assert alert.message == (
        f"A step takes {1000 * seconds:g} ms, not 10 ms as when it was measured: "
        f"to end after about 1s, the run has {changed.steps:,} steps, not {planned:,}."
    )
    now = session.snapshot()
    assert now.run is not None and now.schedule is not None
    assert (now.state, now.step, now.run.plan.steps, now.schedule.steps) == ("finished", *[changed.steps] * 3)
    assert now.run.reasons["steps"] == f"{changed.steps}, as a step took {1000 * seconds:g} ms in the run"
    run = only_run(runs)
    assert Config.from_toml(run.config).schedule.steps == changed.steps == overview(run).steps
    assert changed in journalled(session)


@pytest.mark.parametrize("times", [(0.011,), (0.0085,), (9.0, 0.01), (0.01, 0.01, 3600.0, 0.01)])
def test_a_run_that_keeps_to_its_minutes_is_left_alone(
    corpus: Path, steps_take: Callable[..., None], times: tuple[float, ...]
) -> None:
    """Also where its first step was long, or where it was suspended amid one."""
    steps_take(*times)
    session = run_to_end(of_minutes(corpus))
    assert session.of(ScheduleChanged) == session.of(Alert) == []
    assert session.of(Step)[-1].step == session.of(RunStarted)[0].plan.steps


@pytest.mark.parametrize("planned", [1, 2, 5])
def test_a_run_of_few_steps_is_checked_before_it_is_over(
    corpus: Path, steps_take: Callable[..., None], monkeypatch: pytest.MonkeyPatch, planned: int
) -> None:
    """The machine was so busy when it was measured that next to nothing seemed to fit."""
    step = 0.85 * 60 * MINUTES / planned
    monkeypatch.setattr(
        preparation, "planned_timings", lambda *_: Timings(step, TIMINGS.evaluation, TIMINGS.token, as_planned=True)
    )
    steps_take(step / 20)
    session = run_to_end(of_minutes(corpus))
    assert session.of(RunStarted)[0].plan.steps == planned
    assert session.of(Step)[-1].step == session.of(ScheduleChanged)[0].steps > 15 * planned


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0000512, "0.0512 ms"), (0.004254, "4.25 ms"), (0.9994, "999 ms"), (0.9996, "1.00 s"), (75.0, "75.00 s")],
)
def test_the_time_of_a_step_is_told_in_few_digits(seconds: float, told: str) -> None:
    assert step_time(seconds) == told


def test_the_last_step_is_no_time_to_make_a_run_shorter(
    corpus: Path, steps_take: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        preparation, "planned_timings", lambda *_: Timings(1.0, TIMINGS.evaluation, TIMINGS.token, as_planned=True)
    )
    steps_take(60.0)
    session = run_to_end(of_minutes(corpus))
    assert session.of(ScheduleChanged) == session.of(Alert) == []
    assert session.of(Step)[-1].step == 1


def test_a_run_of_so_many_steps_has_them_at_any_pace(corpus: Path, steps_take: Callable[..., None]) -> None:
    steps_take(3600.0)
    session = run_to_end(small_config(corpus))
    assert session.of(Step)[-1].step == 12
    assert session.of(ScheduleChanged) == session.of(Alert) == []


def test_a_run_that_is_past_its_minutes_already_ends(corpus: Path, steps_take: Callable[..., None]) -> None:
    steps_take(60.0)
    session = run_to_end(of_minutes(corpus))
    assert session.of(Step)[-1].step == session.of(ScheduleChanged)[0].steps == 5
    assert session.snapshot().state == "finished"


@pytest.mark.parametrize("schedule", ["wsd", "warmup-cosine"])
@pytest.mark.parametrize("last", [5, 9])
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


@pytest.mark.parametrize("schedule", PLANNED)
@pytest.mark.parametrize("refused", [f".{REPLANNED}.partial", ".step-00000004.partial", ".latest.partial", CONFIG])
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

    steps_take(SLOW if changed else TIMINGS.step)
    whole = run_for_a_while(ScriptedSession(config.update(name="whole")))
    resumed = run_for_a_while(Resumed(RunDirectory(runs / "run")))
    began = resumed.of(RunStarted)[0]
    assert began.plan.steps == (changed or [whole.of(RunStarted)[0].plan])[0].steps
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


@pytest.mark.parametrize("why", ["warmup", "disk"])
def test_a_run_that_cannot_be_planned_anew_says_how_long_it_takes(
    corpus: Path, runs: Path, steps_take: Callable[..., None], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    steps_take(SLOW)
    session = ScriptedSession(of_minutes(corpus, warmup=50 if why == "warmup" else None))
    replace_text = Folder.replace_text

    def refuse(self: Folder, name: str, text: str) -> None:
        if name == REPLANNED and session.of(Step):
            raise OSError(28, "No space left on device")
        replace_text(self, name, text)

    if why == "disk":
        monkeypatch.setattr(Folder, "replace_text", refuse)
    session.run()
    planned = session.of(RunStarted)[0].plan.steps
    assert [alert.message for alert in session.of(Alert)] == [
        f"A step takes 50 ms, not 10 ms as when it was measured: {planned:,} steps take about 6s, not 1s. "
        "Stop the run at any time: it is saved."
    ]
    assert session.of(ScheduleChanged) == []
    assert session.of(Step)[-1].step == planned == Config.from_toml(only_run(runs).config).schedule.steps
