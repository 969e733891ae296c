"""A run of so many minutes whose steps take another time than was measured is planned anew, once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.training.helpers import TIMINGS, ScriptedSession, journalled, only_run, run_to_end, small_config
from tests.unit.training.planning.pace import MINUTES, SLOW, of_minutes
from tui_trainer.config import Config
from tui_trainer.run.events import Alert, Evaluation, RunStarted, ScheduleChanged, Step
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.overview import overview
from tui_trainer.training import preparation
from tui_trainer.training.planning.plan import Timings
from tui_trainer.training.planning.replan import step_time
from tui_trainer.training.planning.stored_plan import REPLANNED


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
