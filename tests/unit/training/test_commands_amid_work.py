"""Commands that arrive while the trainer evaluates, saves or ends the run are applied, and published in order."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.helpers import Resumed, ScriptedSession, only_run, run_to_end, small_config
from tests.waiting import TIMEOUT
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.commands import (
    Command,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    Stop,
)
from tui_trainer.run.events import (
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    PartialSample,
    Sample,
    StateChanged,
    Step,
)
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.probes import evaluation, sampling, scheduler

Ask = Callable[..., None]


@pytest.fixture
def amid_evaluation(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Sends commands to a session in the middle of its next evaluation after a step."""
    monkeypatch.setattr(evaluation, "TOKENS_PER_BATCH", 1)
    loss = Transformer.loss

    def ask(session: ScriptedSession, step: int, *commands: Command) -> None:
        windows = 0

        def loss_and_ask(self: Transformer, *ids: Any) -> Any:
            nonlocal windows
            windows += not self.training and session.snapshot().step == step
            if windows == 2 and not session.of(CommandApplied):
                windows += 1
                for command in commands:
                    session.send(command)
            return loss(self, *ids)

        monkeypatch.setattr(Transformer, "loss", loss_and_ask)

    return ask


def told(session: ScriptedSession, since: int) -> list[str]:
    """What was told after a step, in order, in short."""
    at = next(number for number, event in enumerate(session.events) if isinstance(event, Step) and event.step == since)
    short: dict[type[Event], Callable[[Any], str]] = {
        CommandApplied: lambda event: f"command {event.name}",
        Evaluation: lambda event: f"evaluation {event.step}",
        StateChanged: lambda event: event.state,
        Step: lambda event: f"step {event.step}",
    }
    return [short[type(event)](event) for event in session.events[at + 1 :] if type(event) in short]


def going_on(event: Event) -> Command | None:
    """Resume a run that has been paused."""
    return Resume() if isinstance(event, StateChanged) and event.state == "paused" else None


@pytest.mark.parametrize(
    ("commands", "then"),
    [
        ([Pause()], ["command pause", "evaluation 4", "paused", "command resume", "running", "step 5"]),
        ([Pause(), Resume()], ["command pause", "command resume", "evaluation 4", "step 5"]),
        ([SetPrompt(value="dog"), Pause()], ["command set_prompt", "command pause", "evaluation 4", "paused"]),
        ([Pause(), Stop(value=False)], ["command pause", "paused", "command stop", "stopped"]),
    ],
    ids=["pause", "pause and resume", "prompt and pause", "pause and stop"],
)
def test_a_pause_amid_an_evaluation_comes_after_it(
    corpus: Path, amid_evaluation: Ask, commands: Sequence[Command], then: list[str]
) -> None:
    session = ScriptedSession(small_config(corpus), going_on)
    amid_evaluation(session, 4, *commands)
    session.run()
    assert told(session, since=4)[: len(then)] == then


def test_a_pause_amid_the_last_evaluation_holds_the_end(corpus: Path, amid_evaluation: Ask) -> None:
    session = ScriptedSession(small_config(corpus), going_on)
    amid_evaluation(session, 12, Pause())
    session.run()
    assert told(session, since=12) == [
        *("command pause", "evaluation 12", "paused", "command resume", "running", "finished", "command stop"),
    ]
    assert [sample.step for sample in session.of(Sample)] == [0, 6, 12]


def test_a_single_step_of_a_run_that_has_none_left_ends_it(corpus: Path, amid_evaluation: Ask) -> None:
    session = ScriptedSession(
        small_config(corpus), lambda event: StepOnce() if getattr(event, "state", "") == "paused" else None
    )
    amid_evaluation(session, 12, Pause())
    session.run()
    assert told(session, since=12)[2:] == ["paused", "command step_once", "finished", "command stop"]


def test_what_is_asked_amid_an_evaluation_is_done_in_order(corpus: Path, amid_evaluation: Ask) -> None:
    session = ScriptedSession(small_config(corpus, eval_every=5, checkpoint_every=100))
    amid_evaluation(session, 5, SetTemperature(value=0.3), Generate(), SaveCheckpoint())
    session.run()
    assert told(session, since=5)[:3] == ["command set_temperature", "command generate", "command save_checkpoint"]
    assert told(session, since=5)[3] == "evaluation 5"
    assert (5, 0.3) in {(sample.step, sample.temperature) for sample in session.of(Sample)}
    assert (5, "asked") in {(saved.step, saved.reason) for saved in session.of(CheckpointSaved)}


def test_a_stop_amid_the_last_evaluation_leaves_it_for_later(corpus: Path, runs: Path, amid_evaluation: Ask) -> None:
    session = ScriptedSession(small_config(corpus))
    amid_evaluation(session, 12, Stop())
    session.run()
    assert told(session, since=12) == ["command stop", "stopped"]
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert [event.step for event in resumed.of(Evaluation)] == [12]
    assert resumed.of(Step) == []
    assert resumed.snapshot().state == "finished"


def test_what_is_asked_amid_a_save_is_done_after_it(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, asked = CheckpointStore.save, threading.Event()

    def save_and_ask(self: CheckpointStore, *contents: Any) -> Path:
        if not asked.is_set():
            for command in (SaveCheckpoint(), Pause()):
                session.send(command)
            asked.set()
        return save(self, *contents)

    def wait_or_go_on(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 6:
            assert asked.wait(TIMEOUT), "checkpoints are written in a thread of its own, which has to have begun"
        return going_on(event)

    session = ScriptedSession(small_config(corpus, eval_every=100, checkpoint_every=5), wait_or_go_on)

    monkeypatch.setattr(CheckpointStore, "save", save_and_ask)
    session.run()
    commands = [event.name for event in session.of(CommandApplied)]
    assert commands == ["save_checkpoint", "pause", "resume", "stop"]
    assert [event.reason for event in session.of(CheckpointSaved)][:2] == ["periodic", "asked"]


def test_a_stop_that_cannot_be_saved_costs_no_evaluation_and_no_sample(
    corpus: Path, amid_evaluation: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninterrupted = run_to_end(small_config(corpus, name="calm", sample_every=4))
    save = CheckpointStore.save

    def refuse_stopped(self: CheckpointStore, contents: Any, reason: str) -> Path:
        if reason == "stopped":
            raise OSError(28, "No space left on device")
        return save(self, contents, reason)

    monkeypatch.setattr(CheckpointStore, "save", refuse_stopped)
    session = ScriptedSession(small_config(corpus, sample_every=4), going_on)
    amid_evaluation(session, 4, Stop())
    session.run()
    assert told(session, since=4)[:5] == ["command stop", "paused", "command resume", "running", "evaluation 4"]
    assert session.of(Evaluation)[0].val_loss == pytest.approx(uninterrupted.of(Evaluation)[0].val_loss, abs=1e-5)
    assert [event.step for event in session.of(Evaluation)] == [4, 8, 12]
    assert [event.step for event in session.of(Sample)] == [0, 4, 8, 12]


def test_single_steps_asked_for_together_are_all_taken(corpus: Path, amid_evaluation: Ask) -> None:
    session = ScriptedSession(
        small_config(corpus), lambda event: Resume() if type(event) is Step and event.step == 6 else None
    )
    amid_evaluation(session, 4, Pause(), StepOnce(), StepOnce())
    session.run()
    assert told(session, since=4)[3:][:4] == ["evaluation 4", "paused", "step 5", "step 6"]


@pytest.mark.parametrize("held_by", [Pause(), Resume()])
def test_a_pause_ends_single_steps(corpus: Path, amid_evaluation: Ask, held_by: Command) -> None:
    session = ScriptedSession(small_config(corpus), going_on)
    amid_evaluation(session, 4, Pause(), StepOnce(), StepOnce(), held_by, Pause())
    session.run()
    assert told(session, since=4)[5:][:3] == ["evaluation 4", "paused", "command resume"]


@pytest.fixture
def slow_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of which a token is written at a time, and each is shown."""
    monkeypatch.setattr(sampling, "PARTIAL_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "SHARE", 0.0)


def amid_last_sample(*commands: Command) -> Callable[[Event], Command | None]:
    """One command for each token of the sample at step 12."""
    left = list(commands)
    return lambda event: left.pop(0) if left and isinstance(event, PartialSample) and event.step == 12 else None


def test_what_is_asked_amid_the_last_sample_is_done_before_the_end(corpus: Path, slow_samples: None) -> None:
    session = run_to_end(
        small_config(corpus, sample_every=100),
        amid_last_sample(SetPrompt(value="dog"), Pause(), Generate(), SaveCheckpoint()),
    )
    assert told(session, since=12) == [
        *("evaluation 12", "command set_prompt", "command pause", "command generate", "command save_checkpoint"),
        *("finished", "command stop"),
    ]
    assert [(sample.step, sample.prompt) for sample in session.of(Sample)][-2:] == [(12, "The"), (12, "dog")]
    assert session.of(CheckpointSaved)[-1].reason == "asked"


def test_a_checkpoint_asked_for_after_the_end_changes_nothing_of_it(corpus: Path, runs: Path) -> None:
    def save_at_end(event: Event) -> Command | None:
        return SaveCheckpoint() if isinstance(event, StateChanged) and event.state == "finished" else None

    worse = {"lr": 3.0, "warmup": 11, "eval_every": 2, "sample_every": 6, "dropout": 0.2}
    session = run_to_end(small_config(corpus, **worse), save_at_end)
    samples = [(sample.step, sample.text) for sample in session.of(Sample)]
    assert [step for step, _ in samples] == [0, 6, 2, 12], "the last but one is the best model's"
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert [(sample.step, sample.text) for sample in resumed.of(Sample)] == samples[2:]


@pytest.mark.parametrize("save", [True, False])
def test_a_stop_amid_the_last_sample_gives_up_no_more_than_that(
    corpus: Path, runs: Path, slow_samples: None, save: bool
) -> None:
    stopped = run_to_end(small_config(corpus, sample_every=100), amid_last_sample(Stop(value=save)))
    assert told(stopped, since=12) == ["evaluation 12", "command stop", "finished"]
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert resumed.of(Step) == []
    assert [sample.step for sample in stopped.of(Sample) + resumed.of(Sample)] == [0, 12]
    assert resumed.snapshot().state == "finished"


def test_a_stop_amid_a_long_sample_ends_the_run_though_another_is_due(
    corpus: Path, slow_samples: None, amid_evaluation: Ask
) -> None:
    session = ScriptedSession(small_config(corpus, sample_every=4, sample_tokens=100))
    amid_evaluation(session, 8, Stop())
    session.run()
    assert told(session, since=8) == ["command stop", "stopped"]
