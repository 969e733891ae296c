"""What is told to whoever comes back."""

from dataclasses import replace
from typing import Any

from tests.unit.run.test_state import evaluation, sample, started, state, step
from tui_trainer.run.away import ALERTS_KEPT, Absence, AbsenceRecorder, describe
from tui_trainer.run.events import Alert, CheckpointSaved, Event


def gather(*events: Event) -> Absence:
    recorder = AbsenceRecorder(since=1000.0, step=40)
    for event in events:
        recorder.apply(event)
    return recorder.absence()


def told(absence: Absence, **changes: Any) -> dict[str, str]:
    return dict(describe(absence, **{"steps": 200, "seconds_left": 90.0, **changes}))


def alert(number: int) -> Alert:
    return Alert(step=number, time=1000.0 + number, kind="guard", severity="warning", message=f"Skipped {number}.")


def test_a_night_in_a_few_lines() -> None:
    saved = CheckpointSaved(step=60, time=1060.0, path="checkpoints/step-00000060", reason="periodic")
    absence = gather(step(50, 1010.0), evaluation(50, 2.25, best=True), sample(50, "cat"), saved, step(60, 1060.0))
    assert absence.eventful
    lines = told(absence)
    assert lines["Steps"] == "20 in 1m00s, now at 60 of 200"
    assert lines["Best validation"].startswith("2.2500 at step 50, ")
    assert lines["Saved"] == "1 checkpoint, 1 sample"
    assert lines["Time left"] == "1m30s"
    assert lines["Alerts"] == "none"


def test_when_nothing_was_better() -> None:
    assert told(gather(evaluation(50, 9.0, best=False), step(50, 1010.0)))["Validation"] == "no better than before"


def test_every_alert_with_what_was_done() -> None:
    lines = told(gather(alert(41), alert(42)))
    assert lines["Step 41"] == "warning: Skipped 41."
    assert lines["Step 42"] == "warning: Skipped 42."
    assert "Alerts" not in lines


def test_of_many_alerts_the_newest_and_how_many_more() -> None:
    lines = told(gather(*map(alert, range(41, 41 + ALERTS_KEPT + 3))))
    assert lines["And"] == "3 older alerts"
    assert "Step 43" not in lines
    assert "Step 44" in lines


def test_every_error_is_told_however_much_came_after_it() -> None:
    error = replace(alert(41), severity="error", message="The disk is full.")
    lines = told(gather(error, *map(alert, range(42, 142))))
    assert lines["Step 41"] == "error: The disk is full."
    assert lines["And"] == "80 older alerts"


def test_how_it_ended_instead_of_the_time_left() -> None:
    lines = told(gather(step(50, 1010.0), state("failed", 1011.0, step=50, reason="The disk burnt.")))
    assert lines["Ended"] == "failed: The disk burnt."
    assert "Time left" not in lines


def test_how_often_it_was_taken_up_again() -> None:
    assert told(gather(started(step=40, time=1001.0)))["Taken up again"] == "1 time"


def test_nothing_happened() -> None:
    assert not gather().eventful
