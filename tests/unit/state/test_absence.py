"""What is told to whoever comes back."""

from dataclasses import replace
from typing import Any

from tests.unit.state.folded import evaluation, quick_evaluation, sample, started, state, step
from tui_trainer.run.events import Alert, CheckpointSaved, CommandApplied, Event
from tui_trainer.state.absence import ALERTS_KEPT, COMMANDS_KEPT, Absence, AbsenceTracker
from tui_trainer.state.absence_description import describe
from tui_trainer.state.pace import TimeLeft

LEFT_AT = 1000.0


def gather(*events: Event) -> Absence:
    absence = Absence.since(LEFT_AT, step=40)
    for event in events:
        absence.apply(event)
    return absence


def told(absence: Absence, **changes: Any) -> dict[str, str]:
    values = {"steps": 200, "time_left": TimeLeft(90.0, 88.0, 92.0), "now": absence.until}
    return dict(describe(absence, **{**values, **changes}))


def alert(number: int) -> Alert:
    return Alert(step=number, time=LEFT_AT + number, kind="guard", severity="warning", message=f"Skipped {number}.")


def at(time: float, event: Event) -> Event:
    return replace(event, time=time)


def attend(*events: Event) -> Absence | None:
    tracker = AbsenceTracker()
    for event in events:
        tracker.apply(event)
    return tracker.absence()


def attach(number: int, source: str = "attached") -> CommandApplied:
    return CommandApplied(step=number, time=LEFT_AT + number, name="attach", value=None, source=source)


def detach(number: int, source: str = "attached") -> CommandApplied:
    return CommandApplied(step=number, time=LEFT_AT + number, name="detach", value=None, source=source)


def test_evaluations_of_a_sample_are_not_counted() -> None:
    assert gather(step(50, 1010.0), at(1010.0, quick_evaluation(50, 2.25))).evaluations == 0


def test_a_night_in_a_few_lines() -> None:
    saved = CheckpointSaved(step=60, time=1060.0, path="checkpoints/step-00000060", reason="periodic")
    written, judged = at(1010.0, sample(50, "cat")), at(1010.0, evaluation(50, 2.25, best=True))
    absence = gather(step(50, 1010.0), judged, written, saved, step(60, 1060.0))
    assert absence.eventful
    lines = told(absence)
    assert lines["Steps"] == "20 in 1m00s, now at 60 of 200"
    assert lines["Best validation"] == "2.2500 at step 50, 50s ago"
    assert lines["Saved"] == "1 checkpoint, 1 sample"
    assert lines["Time left"] == "1m30s"
    assert lines["New alerts"] == "none"


def test_when_nothing_was_better() -> None:
    lines = told(gather(evaluation(50, 9.0, best=False), step(50, 1010.0)))
    assert lines["Validation"] == "no better than before, in 1 evaluation"


def test_when_nothing_was_evaluated() -> None:
    assert told(gather(step(50, 1010.0)))["Validation"] == "none meanwhile"


def test_every_alert_with_what_was_done() -> None:
    lines = told(gather(alert(41), alert(42)))
    assert lines["Step 41"] == "warning: Skipped 41."
    assert lines["Step 42"] == "warning: Skipped 42."
    assert "New alerts" not in lines


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


def command(number: int, name: str, value: float | str | None = None) -> CommandApplied:
    return CommandApplied(step=number, time=LEFT_AT + number, name=name, value=value, source="command line")


def test_what_was_commanded_meanwhile_and_that_it_is_paused() -> None:
    given = command(40, "save_checkpoint"), command(40, "set_temperature", 0.5), command(40, "pause")
    absence = gather(*given, state("paused", 1040.0, step=40))
    assert absence.eventful, "though no step was taken"
    lines = describe(absence, 200, 90.0, absence.until, paused=True)
    assert [text for heading, text in lines if heading == "Commanded"] == [
        "save checkpoint at step 40, by command line",
        "set temperature 0.5 at step 40, by command line",
        "pause at step 40, by command line",
    ]
    assert dict(lines)["Now"] == "paused at step 40" and "Time left" not in dict(lines)
    assert "Now" not in told(absence)


def test_of_many_commands_the_newest_and_how_many_more() -> None:
    lines = told(gather(*[command(number, "pause") for number in range(41, 43 + COMMANDS_KEPT)]))
    assert lines["And"] == "2 older commands"


def test_how_it_ended_instead_of_the_time_left() -> None:
    lines = told(gather(step(50, 1010.0), state("failed", 1011.0, step=50, reason="The disk burnt.")))
    assert lines["Ended"] == "failed: The disk burnt."
    assert "Time left" not in lines


def test_how_often_it_was_taken_up_again_and_where() -> None:
    assert told(gather(started(step=40, time=1001.0)))["Taken up again"] == "1 time from step 40"
    twice = gather(started(step=40, time=1001.0), started(step=50, time=1002.0))
    assert told(twice)["Taken up again"] == "2 times, the last from step 50"


def test_a_run_that_was_set_back_has_taken_no_negative_number_of_steps() -> None:
    absence = gather(started(step=20, time=1010.0), step(25, 1020.0))
    assert absence.eventful
    assert told(absence)["Steps"] == "now at 25 of 200, 20s after step 40"


def test_nothing_happened() -> None:
    assert not gather().eventful


# -- time ----------------------------------------------------------------------------------------------------------


def test_a_clock_set_back_meanwhile_takes_no_time_away() -> None:
    """By an hour, after a minute: between the two steps that it comes between no time is seen to pass."""
    absence = gather(step(50, 1060.0), step(51, -2530.0), step(56, -2500.0))
    assert told(absence)["Steps"] == "16 in 1m30s, now at 56 of 200"


def test_the_age_of_the_best_is_what_it_is_now() -> None:
    """Of a run that has been paused for an hour since its last event."""
    absence = gather(step(50, 1010.0), at(1010.0, evaluation(50, 2.25, best=True)), step(51, 1030.0))
    assert told(absence, now=absence.until + 3600.0)["Best validation"] == "2.2500 at step 50, 1h00m ago"
    set_back = told(absence, now=absence.until - 3600.0)
    assert set_back["Best validation"] == "2.2500 at step 50, 20s ago"


# -- who was away --------------------------------------------------------------------------------------------------


def test_whoever_comes_after_all_have_left_has_been_away() -> None:
    absence = attend(started(), attach(1), step(5), attach(5), detach(6), step(9), detach(10), step(30))
    assert absence is not None
    assert (absence.since_step, absence.step, absence.from_start) == (10, 30, False)


def test_who_joins_somebody_has_not_been_away() -> None:
    assert attend(started(), attach(0, "keyboard"), step(5)) is None
    assert attend(started(), attach(1), attach(2), detach(5), step(9)) is None


def test_where_nobody_ever_looked_it_is_told_from_the_start() -> None:
    absence = attend(started(time=LEFT_AT), step(5, LEFT_AT + 5), state("finished", LEFT_AT + 6, 5))
    assert absence is not None
    assert absence.from_start
    assert (absence.since_step, absence.step, absence.seconds, absence.resumes) == (0, 5, 6.0, 0)


def test_who_looked_when_the_trainer_was_killed_has_seen_it_up_to_then() -> None:
    watched = [started(), attach(0, "keyboard"), step(5), step(6)]
    absence = attend(*watched, started(step=4, time=200.0), step(5, 201.0), step(20, 216.0))
    assert absence is not None
    assert (absence.since_step, absence.step, absence.resumes, absence.from_start) == (6, 20, 1, False)


def test_one_who_left_long_ago_is_told_of_all_that_came_after() -> None:
    absence = attend(started(), attach(1), detach(5), step(6), started(step=6, time=1e4), step(7, 1e4 + 1))
    assert absence is not None
    assert (absence.since_step, absence.step, absence.resumes) == (5, 7, 1)


def test_journals_that_tell_of_leaving_alone_are_read() -> None:
    """Those of versions that did not tell of a screen that was there from the start."""
    absence = attend(started(), step(5), detach(5, "keyboard"), step(9))
    assert absence is not None
    assert (absence.since_step, absence.from_start) == (5, False)
