"""Headless: the lines printed on standard output."""

import io
import math
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.folding import folded
from tests.runs import run_started
from tests.unit.run.examples import RUN
from tests.unit.state.folded import evaluation, quick_evaluation, sample, state, step
from tests.waiting import TIMEOUT, until
from tui_trainer.headless import LOOK_SECONDS, Headless
from tui_trainer.run.commands import Command, Stop
from tui_trainer.run.events import (
    Alert,
    CheckpointSaved,
    CommandApplied,
    Event,
    PartialSample,
    Resources,
    ScheduleChanged,
    Stage,
)
from tui_trainer.sessions.base import Outcome, Session

STARTED = run_started(step=0, time=100.0, **{**RUN, "steps": 1000, "parameters": 808_576, "train_tokens": 1_003_854})


class EventSession(Session):
    """Publishes the events it is given, then ends when it is sent Stop, as a trainer does."""

    def __init__(self, *events: Event) -> None:
        super().__init__()
        self.events = events
        self.commands: list[Command] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        for event in self.events:
            self.publish(event)
        self.stopped.wait(60)
        self.outcome = Outcome()

    def send(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, Stop):
            self.stopped.set()


def lines(*events: Event, at: Sequence[float] = ()) -> list[str]:
    """The lines for a session that publishes these events and finishes; the clock is read `at` these seconds."""
    out = io.StringIO()
    clock = iter(at).__next__ if at else time.monotonic
    Headless(EventSession(*events, state("finished", 1.0, 9)), out, clock).run()
    printed = out.getvalue().splitlines()
    assert printed.pop() == "step       9  finished"
    return printed


def test_the_introduction() -> None:
    assert lines(STARTED) == [
        "run cats: 0.81M parameters (nano, 4 layers of 128), char tokenizer of 65, 1.0M training tokens, "
        "cpu fp32, adamw, 1,000 steps from step 0"
    ]


def test_the_reasons_for_chosen_values_are_printed() -> None:
    reasons = {"dropout": "0.2, as the text is read 33.0 times", "compile": "off, as there is no \x1b compiler"}
    assert lines(replace(STARTED, reasons=reasons))[1:] == [
        "  dropout: 0.2, as the text is read 33.0 times",
        "  compile: off, as there is no \u241b compiler",
    ]


def test_each_stage_once() -> None:
    stages = [Stage(stage="reading", done=done, total=9) for done in range(9)]
    assert lines(*stages, Stage(stage="tokenizing"), Stage(stage="tokenizing")) == ["reading", "tokenizing"]


def test_steps_are_printed_every_five_seconds_and_at_the_end() -> None:
    numbers = (1, 2, 5, 6, 7, 10, 11)  # a step a second
    steps = [step(number) for number in numbers]
    printed = lines(STARTED, state("running", 100.0), *steps, step(1000, time=111.5), at=[*numbers, 11.5])[1:]
    assert [line.split("/")[0].split()[-1] for line in printed] == ["1", "6", "11", "1,000"]
    assert printed[-1] == "step   1,000/1,000  loss 2.0000  lr 1.00e-01  1.5K tok/s"


def test_a_wall_clock_set_back_an_hour_suppresses_no_line() -> None:
    events = [
        step(1, time=10_000.0),
        step(2, time=6_400.0),
        Stage(stage="s", time=9_000.0, total=4, done=1, seconds=1.0),
    ]
    again = Stage(stage="s", time=5_400.0, total=4, done=2, seconds=1.0)
    printed = lines(STARTED, *events, again, at=[1.0, 6.0, 7.0, 12.0])[1:]
    assert [line.split(" of ")[0].split("/")[0].split() for line in printed] == [
        ["step", "1"],
        ["step", "2"],
        ["s"],
        ["s", "50", "%"],
    ]


def test_a_run_that_started_before_shows_its_total_steps() -> None:
    session, out = EventSession(step(2), state("finished", 200.0)), io.StringIO()
    session.replace_state(folded([STARTED, state("running", 100.0), step(1)]))
    Headless(session, out).run()
    assert out.getvalue().startswith("step       2/1,000  loss 2.0000  lr 1.00e-01  1.5K tok/s\n")


def test_a_loss_that_is_not_finite_is_printed() -> None:
    assert "  loss not finite  " in lines(STARTED, step(1, loss=None))[1]


def test_other_events() -> None:
    assert lines(
        evaluation(2, math.log(5), best=True),
        evaluation(1234, math.log(5), best=False),
        sample(3, "cat\nsat"),
        CheckpointSaved(step=3, path="runs/cats/checkpoints/step-00000003", reason="best"),
        CommandApplied(step=4, name="stop", value=True, source="SIGINT"),
        CommandApplied(step=4, name="stop", value=False, source="keyboard"),
        state("paused", 1.0, 4),
        state("running", 1.0, 4),
        state("stopped", 1.0, 5, "by keyboard"),
        Alert(step=6, kind="k", severity="warning", message="Look."),
    ) == [
        "step       2  validation loss 1.6094  perplexity 5.00  best",
        "step   1,234  validation loss 1.6094  perplexity 5.00",
        "step       3  sample at temperature 0.80",
        "    Thecat",
        "    sat",
        "step       3  checkpoint runs/cats/checkpoints/step-00000003 (best)",
        "step       4  stopping, as SIGINT asked: saving a checkpoint first",
        "step       4  paused",
        "step       5  stopped: by keyboard",
        "step       6  warning: Look.",
    ]


def test_events_for_screens_only_are_not_printed() -> None:
    assert (
        lines(
            PartialSample(step=1, prompt="a", text="b", temperature=1.0),
            Resources(step=1, memory_bytes=1, device_memory_bytes=0),
            replace(evaluation(2, 1.0, best=False), val_loss=None, perplexity=None),
            quick_evaluation(2, 1.0),
        )
        == []
    )


def test_control_characters_are_made_visible() -> None:
    evil = "\x1b]0;x\x07\u202e\r\x85"
    printed = lines(
        run_started(**{**RUN, "run": evil, "preset": evil, "device": evil}),
        sample(1, evil, prompt=evil),
        CheckpointSaved(step=1, path=evil, reason=evil),
        state("stopped", 1.0, 1, evil),
        Alert(step=1, kind=evil, severity=evil, message=evil),
        Stage(stage=evil),
    )
    assert len(printed) == 7
    assert all(line.isprintable() for line in printed)


def test_a_finished_run_is_stopped() -> None:
    session = EventSession(state("finished", 1.0))
    Headless(session, io.StringIO()).run()
    assert session.commands == [Stop(value=False, source="headless")]


class Interrupted(EventSession):
    """Raises a signal while no event is in the queue, then ends without another event."""

    def __init__(self) -> None:
        super().__init__()
        self.printed, self.handled = io.StringIO(), threading.Event()

    def run(self) -> None:
        self.publish(step(1))
        until(lambda: self.printed.getvalue())
        os.kill(os.getpid(), signal.SIGUSR1)
        assert self.handled.wait(TIMEOUT)
        self.outcome = Outcome()


def test_a_slow_signal_handler_does_not_block_the_loop() -> None:
    session = Interrupted()

    def handle(*_: object) -> None:
        time.sleep(4 * LOOK_SECONDS)  # longer than the loop waits for an event
        session.handled.set()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        Headless(session, session.printed).run()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert session.outcome == Outcome()


class Broken(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")])
def test_output_that_cannot_be_written_does_not_end_the_run(error: OSError) -> None:
    session = EventSession(step(1), step(2), state("finished", 1.0, 2))
    Headless(session, Broken(error)).run()
    assert session.outcome == Outcome()


def test_standard_output_is_looked_up_when_made(capsys: pytest.CaptureFixture[str]) -> None:
    Headless(EventSession(state("finished", 1.0))).run()
    assert capsys.readouterr().out == "step       0  finished\n"


def test_a_whole_run(tmp_path: Path) -> None:
    from tests.unit.training.helpers import TEXT, small_config
    from tui_trainer.training.local import LocalSession

    corpus = tmp_path / "cats.txt"
    corpus.write_text(TEXT, encoding="utf-8")
    session, out = LocalSession(small_config(corpus)), io.StringIO()
    Headless(session, out).run()
    text = out.getvalue()
    assert session.outcome == Outcome()
    marks = ["loading torch", "run cats: ", "step      12/12  loss", "validation loss", "finished: all steps taken"]
    places = [text.index(mark) for mark in marks]
    assert places[0] < places[1] < places[2] < places[4]
    assert text.count("  sample at temperature 0.80\n    The") == 3


def test_the_models_of_a_finished_run_are_named() -> None:
    written = [replace(sample(step, "cat"), model=model) for step, model in ((400, "last"), (20, "best"), (3, "\x1b"))]
    assert [line for line in lines(*written) if line.startswith("step")] == [
        "step     400  sample (last) at temperature 0.80",
        "step      20  sample (best by validation) at temperature 0.80",
        "step       3  sample at temperature 0.80",
    ]


def test_total_steps_follow_a_changed_schedule() -> None:
    changed = ScheduleChanged(step=1, steps=2, schedule="wsd", lr=0.1, min_lr=0.0, warmup=0)
    assert lines(STARTED, changed, step(2))[1].startswith("step       2/2  loss 2.0000")
